// See catalogue.h.
#include "conformance/report/catalogue.h"

#include <fnmatch.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

extern "C" const char cancelsafe_clauses_begin[];
extern "C" const char cancelsafe_clauses_end[];
extern "C" const char cancelsafe_ambiguities_begin[];
extern "C" const char cancelsafe_ambiguities_end[];

namespace cancelsafe::conformance {

namespace {

// The objects of an embedded JSON Lines text.
std::vector<nlohmann::json> ReadLines(const char* begin, const char* end) {
  const absl::string_view text(begin, static_cast<size_t>(end - begin));
  std::vector<nlohmann::json> objects;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    objects.push_back(nlohmann::json::parse(line.begin(), line.end(), nullptr, false));
    if (objects.back().is_object()) continue;
    fprintf(stderr, "not an object: %.*s\n", static_cast<int>(line.size()), line.data());
    abort();
  }
  return objects;
}

std::vector<Clause> ReadAll() {
  std::vector<Clause> clauses;
  for (const nlohmann::json& json : ReadLines(cancelsafe_clauses_begin, cancelsafe_clauses_end)) {
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
    clause.name = json.value("name", "");
    clause.severity = json.value("severity", "");
    clauses.push_back(clause);
  }
  return clauses;
}

const std::vector<nlohmann::json>& Ambiguities() {
  static const auto* ambiguities = new std::vector<nlohmann::json>(
      ReadLines(cancelsafe_ambiguities_begin, cancelsafe_ambiguities_end));
  return *ambiguities;
}

}  // namespace

std::vector<std::string> AmbiguityIds() {
  std::vector<std::string> ids;
  for (const nlohmann::json& json : Ambiguities()) ids.push_back(json.value("id", ""));
  return ids;
}

const std::vector<Clause>& Catalogue() {
  static const auto* clauses = new std::vector<Clause>(ReadAll());
  return *clauses;
}

std::string AmbiguityQuestion(const std::string& id) {
  for (const nlohmann::json& json : Ambiguities()) {
    if (json.value("id", "") == id) return json.value("question", "");
  }
  return "";
}

std::string EvidenceWords(const std::string& letters) {
  static constexpr struct {
    char letter;
    const char* word;
  } kWords[] = {{'P', "prose"},  {'F', "figure"},  {'H', "header"},
                {'S', "sample"}, {'D', "derived"}, {'R', "third party, not documentation"}};
  std::string words;
  for (const auto& entry : kWords) {
    if (letters.find(entry.letter) == std::string::npos) continue;
    if (!words.empty()) words += ", ";
    words += entry.word;
  }
  return words;
}

const Clause* FindClause(const std::string& id) {
  for (const Clause& clause : Catalogue()) {
    if (clause.id == id) return &clause;
  }
  return nullptr;
}

std::string ExplainClause(const Clause& clause) {
  std::string text = absl::StrCat(clause.id, "  ", clause.rule, "\n");
  const auto line = [&text](const char* what, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, "  ", what, ": ", value, "\n");
  };
  line("routine", clause.routine);
  line("source", absl::StrCat(clause.source, " [", EvidenceWords(clause.evidence), "]"));
  line("rule", clause.name);
  line("severity", clause.severity);
  line("checked by", clause.check == "cases" ? "cases: cancelsafe conform --clause " + clause.id
                     : clause.check == "drivers"
                         ? "every run of a driver: cancelsafe drive FILE.sys"
                     : clause.check == "caller-contract" ? "nothing: a duty of callers"
                                                         : "nothing: " + clause.reason);
  for (const std::string& id : clause.ambiguity) line(id.c_str(), AmbiguityQuestion(id));
  return text;
}

bool GlobMatch(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

}  // namespace cancelsafe::conformance
