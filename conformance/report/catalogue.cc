// See catalogue.h.
#include "conformance/report/catalogue.h"

#include <fnmatch.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"

extern "C" const char cancelsafe_clauses_begin[];
extern "C" const char cancelsafe_clauses_end[];

namespace cancelsafe::conformance {

namespace {

std::vector<Clause> ReadAll() {
  const absl::string_view text(
      cancelsafe_clauses_begin,
      static_cast<size_t>(cancelsafe_clauses_end - cancelsafe_clauses_begin));
  std::vector<Clause> clauses;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const nlohmann::json json = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
    if (!json.is_object()) {
      fprintf(stderr, "clauses.jsonl: not an object: %.*s\n", static_cast<int>(line.size()),
              line.data());
      abort();
    }
    Clause clause;
    clause.id = json.value("id", "");
    clause.routine = json.value("routine", "");
    clause.rule = json.value("rule", "");
    clause.kind = json.value("kind", "");
    clause.source = json.value("source", "");
    clause.evidence = json.value("evidence", "");
    clause.ambiguity = json.value("ambiguity", std::vector<std::string>());
    clause.check = json.value("check", "");
    clause.reason = json.value("reason", "");
    clauses.push_back(clause);
  }
  return clauses;
}

}  // namespace

const std::vector<Clause>& Catalogue() {
  static const auto* clauses = new std::vector<Clause>(ReadAll());
  return *clauses;
}

const Clause* FindClause(const std::string& id) {
  for (const Clause& clause : Catalogue()) {
    if (clause.id == id) return &clause;
  }
  return nullptr;
}

bool GlobMatch(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

}  // namespace cancelsafe::conformance
