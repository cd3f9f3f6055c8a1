// See cause_report.h.
#include "fuzzers/check/cause_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "conformance/report/catalogue.h"

namespace cancelsafe {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kOthersShown = 6;
constexpr size_t kLinesShown = 3;

std::string NameOf(const Verdict& verdict) {
  return absl::StrCat(verdict.clause, verdict.clause.empty() ? "" : " ", "(", verdict.rule, ")");
}

const char* NameOf(LinesAre lines_are) {
  switch (lines_are) {
    case LinesAre::kSeen:
      return "at";
    case LinesAre::kSuspect:
      return "suspect";
    case LinesAre::kMissingNear:
      return "missing near";
    case LinesAre::kNear:
      break;
  }
  return "near";
}

std::string Indented(absl::string_view text) {
  std::string indented;
  for (const absl::string_view line :
       absl::StrSplit(absl::StripTrailingAsciiWhitespace(text), '\n')) {
    absl::StrAppend(&indented, "      ", line, "\n");
  }
  return indented;
}

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string PageOfClause(const std::string& clause) {
  const conformance::Clause* const found = conformance::FindClause(clause);
  if (found == nullptr) return "";
  const std::string source = found->source.substr(0, found->source.find_first_of(",; ("));
  const std::vector<std::string> parts = absl::StrSplit(source, '-');
  if (parts.size() == 3 && (parts[0] == "nf" || parts[0] == "nc" || parts[0] == "ns")) {
    return absl::StrCat("https://learn.microsoft.com/windows-hardware/drivers/ddi/", parts[1], "/",
                        source);
  }
  return found->source;
}

std::string SentenceOf(const Cause& cause) {
  const Verdict& verdict = cause.shown.verdict;
  std::string sentence = verdict.reason;
  if (sentence.empty()) sentence = verdict.rule;
  return sentence;
}

std::string TitleOf(const Cause& cause) {
  return absl::StrCat(SeverityName(cause.severity), ": ", NameOf(cause.shown.verdict),
                      cause.shown.routine.empty() ? "" : " in ", cause.shown.routine);
}

const char* LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kFigureOrder:
      return "note";
    case Severity::kIrql:
    case Severity::kWrongResult:
      return "warning";
    default:
      return "error";
  }
}

std::vector<CauseFact> FactsOf(const ReportedCause& reported) {
  const Cause& cause = reported.cause;
  const CheckFinding& shown = cause.shown;
  std::vector<CauseFact> facts;
  const auto add = [&facts](const char* name, const std::vector<std::string>& values) {
    CauseFact fact{name, {}};
    for (const std::string& value : values) {
      const bool said =
          std::find(fact.values.begin(), fact.values.end(), value) != fact.values.end();
      if (!value.empty() && !said) fact.values.push_back(value);
    }
    if (!fact.values.empty()) facts.push_back(std::move(fact));
  };
  const conformance::Clause* const clause = conformance::FindClause(shown.verdict.clause);
  if (clause != nullptr) {
    add("clause", {absl::StrCat(clause->id, ": ", clause->rule)});
    add("page", {PageOfClause(clause->id)});
  }
  std::vector<std::string> lines;
  for (size_t i = 0; i < cause.lines.size() && i < kLinesShown; ++i) {
    lines.push_back(absl::StrCat(i == 0 ? "" : "or ", cause.lines[i].Text()));
  }
  add(NameOf(cause.lines_are), lines);
  if (!shown.vanishes_without.empty()) {
    add("mistake", {absl::StrCat("in ", absl::StrJoin(shown.vanishes_without, " or "),
                                 " or what it calls: with that of the reference implementation it "
                                 "is gone")});
  }
  if (!shown.behind.empty()) {
    add("behind", {absl::StrCat(absl::StrJoin(shown.behind, ", "),
                                "; it shows once these are right, as in the shared object of the "
                                "command")});
  }
  std::vector<std::string> others;
  for (const CheckFinding& other : cause.others) {
    others.push_back(absl::StrCat(VerdictKindName(other.verdict.kind), " ", NameOf(other.verdict),
                                  other.routine.empty() ? "" : " in ", other.routine));
  }
  add("also", others);
  add("conform", cause.cases);
  add("replay", {reported.replay});
  return facts;
}

std::string CauseText(int number, const ReportedCause& reported) {
  const Cause& cause = reported.cause;
  const CheckFinding& shown = cause.shown;
  std::string text = absl::StrCat(number, ". ", TitleOf(cause));
  if (reported.known) return absl::StrCat(text, ": known\n");
  absl::StrAppend(&text, "\n   ", SentenceOf(cause), "\n");
  const std::string program =
      shown.program.empty() ? ""
                            : absl::StrCat("   program: ", shown.operations,
                                           shown.operations == 1 ? " operation\n" : " operations\n",
                                           Indented(shown.program));
  bool program_said = false;
  for (const CauseFact& fact : FactsOf(reported)) {
    const bool after_program =
        fact.name == "also" || fact.name == "conform" || fact.name == "replay";
    if (after_program && !program_said) {
      text += program;
      program_said = true;
    }
    const size_t most = kOthersShown;
    std::vector<std::string> values = fact.values;
    const size_t more = values.size() > most ? values.size() - most : 0;
    values.resize(values.size() - more);
    absl::StrAppend(&text, absl::StrFormat("   %-8s ", fact.name + ":"),
                    absl::StrJoin(values, "\n            "), "\n");
    if (more > 0) {
      absl::StrAppend(&text, "            and ", more, " more\n");
    }
  }
  if (!program_said) text += program;
  return text;
}

std::string CausesJson(const std::vector<ReportedCause>& causes) {
  Json list = Json::array();
  for (const ReportedCause& reported : causes) {
    const Cause& cause = reported.cause;
    Json one;
    one["identity"] = cause.Identity();
    one["known"] = reported.known;
    one["severity"] = SeverityName(cause.severity);
    one["kind"] = VerdictKindName(cause.shown.verdict.kind);
    one["clause"] = cause.shown.verdict.clause;
    one["page"] = PageOfClause(cause.shown.verdict.clause);
    one["rule"] = cause.shown.verdict.rule;
    one["reason"] = cause.shown.verdict.reason;
    one["routine"] = cause.shown.routine;
    one["variant"] = cause.shown.variant;
    one["operations"] = cause.shown.operations;
    one["program"] = cause.shown.program;
    one["saved"] = reported.saved;
    one["replay"] = reported.replay;
    one["mistake_in"] = cause.shown.vanishes_without;
    one["behind"] = cause.shown.behind;
    one["lines_are"] = NameOf(cause.lines_are);
    one["lines"] = Json::array();
    for (const SourceLine& line : cause.lines) {
      one["lines"].push_back(
          {{"function", line.function}, {"file", line.file}, {"line", line.line}});
    }
    one["also"] = Json::array();
    for (const CheckFinding& other : cause.others) {
      one["also"].push_back(
          {{"variant", other.variant}, {"family", other.family}, {"finding", other.Key()}});
    }
    one["cases"] = cause.cases;
    list.push_back(one);
  }
  return Dump({{"causes", list}});
}

std::string CausesSarif(const std::vector<ReportedCause>& causes, bool has_baseline, bool whole) {
  Json rules = Json::array();
  Json results = Json::array();
  std::vector<std::string> ids;
  for (const ReportedCause& reported : causes) {
    const Cause& cause = reported.cause;
    const Verdict& verdict = cause.shown.verdict;
    const std::string id = verdict.clause.empty() ? verdict.rule : verdict.clause;
    size_t index = std::find(ids.begin(), ids.end(), id) - ids.begin();
    if (index == ids.size()) {
      ids.push_back(id);
      Json rule;
      rule["id"] = id;
      rule["name"] = verdict.rule;
      const conformance::Clause* const clause = conformance::FindClause(verdict.clause);
      rule["shortDescription"]["text"] = clause != nullptr ? clause->rule : verdict.rule;
      const std::string page = PageOfClause(verdict.clause);
      if (absl::StartsWith(page, "https://")) rule["helpUri"] = page;
      rules.push_back(rule);
    }
    Json result;
    result["ruleId"] = id;
    result["ruleIndex"] = index;
    result["level"] = LevelOf(cause.severity);
    result["message"]["text"] = SentenceOf(cause);
    result["partialFingerprints"]["cancelsafeCause/v1"] = cause.Identity();
    result["locations"] = Json::array();
    if (!cause.lines.empty()) {
      const SourceLine& line = cause.lines.front();
      Json location;
      location["physicalLocation"]["artifactLocation"]["uri"] = line.file;
      location["physicalLocation"]["region"]["startLine"] = line.line;
      Json logical;
      logical["name"] = line.function;
      location["logicalLocations"] = Json::array({logical});
      result["locations"].push_back(location);
    }
    if (has_baseline) result["baselineState"] = reported.known ? "unchanged" : "new";
    result["properties"]["severity"] = SeverityName(cause.severity);
    result["properties"]["program"] = cause.shown.program;
    result["properties"]["replay"] = reported.replay;
    results.push_back(result);
  }
  Json driver;
  driver["name"] = "cancelsafe";
  driver["rules"] = rules;
  Json run;
  run["tool"]["driver"] = driver;
  run["results"] = results;
  // A reader takes alerts that are missing from a whole run for mended ones.
  run["invocations"] = Json::array({{{"executionSuccessful", whole}}});
  Json log;
  log["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  log["version"] = "2.1.0";
  log["runs"] = Json::array({run});
  return Dump(log);
}

}  // namespace cancelsafe
