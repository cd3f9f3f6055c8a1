// JSON Lines: a header, one object for each case, a footer whose counts show
// truncation; and the way back.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/report/printable.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"

#ifndef CANCELSAFE_GIT_HASH
#define CANCELSAFE_GIT_HASH "unknown"
#endif

namespace cancelsafe::conformance {

namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const CaseReport& c) {
  Json json;
  json["case"] = c.id;
  json["routine"] = c.routine;
  json["clauses"] = c.clauses;
  json["verdict"] = CaseVerdictName(c.verdict);
  if (!c.reason.empty()) json["reason"] = c.reason;
  if (!c.link.empty()) json["link"] = c.link;
  json["passed"] = c.passed;
  if (!c.failed.empty()) json["failed"] = c.failed;
  for (const auto& [ambiguity, text] : c.readings) {
    json["readings"].push_back({{"ambiguity", ambiguity}, {"reading", text}});
  }
  for (const CheckFailure& failure : c.failures) {
    json["failures"].push_back({{"clauses", failure.clauses},
                                {"at", failure.at},
                                {"what", failure.what},
                                {"expected", failure.expected},
                                {"seen", failure.seen}});
  }
  json["steps"] = c.steps;
  json["trace"] = c.trace;
  return json;
}

// Throws Json::exception for a member of another type.
bool FromJson(const Json& json, CaseReport* c) {
  if (!DescribeCase(json.value("case", ""), c)) return false;
  if (!CaseVerdictOfName(json.value("verdict", ""), &c->verdict)) return false;
  c->reason = json.value("reason", "");
  c->link = json.value("link", "");
  c->passed = json.value("passed", std::set<std::string>());
  c->failed = json.value("failed", std::set<std::string>());
  c->steps = json.value("steps", std::vector<std::string>());
  c->trace = json.value("trace", std::vector<std::string>());
  for (const Json& reading : json.value("readings", Json::array())) {
    c->readings.emplace_back(reading.value("ambiguity", ""), reading.value("reading", ""));
  }
  for (const Json& failure : json.value("failures", Json::array())) {
    c->failures.push_back({failure.value("clauses", std::vector<std::string>()),
                           failure.value("at", ""), failure.value("what", ""),
                           failure.value("expected", ""), failure.value("seen", "")});
  }
  return true;
}

}  // namespace

std::string JsonLines(const Report& report) {
  Json header;
  header["suite"] = "cancelsafe";
  header["version"] = kSuiteVersion;
  header["git"] = CANCELSAFE_GIT_HASH;
  header["implementation"] = report.implementation;
  header["host"] = report.host;
  if (report.provided >= 0) header["entry_points"] = report.provided;
  std::string text = header.dump() + "\n";
  for (const CaseReport& c : report.cases) text += ToJson(c).dump() + "\n";
  Json footer;
  footer["cases"] = report.cases.size();
  for (int i = 0; i < kCaseVerdictCount; ++i) {
    const auto verdict = static_cast<CaseVerdict>(i);
    footer["verdicts"][CaseVerdictName(verdict)] = CountOf(report, verdict);
  }
  footer["clauses_checked"] = CheckedClauses(report).size();
  return text + footer.dump() + "\n";
}

namespace {

bool ReadLines(const std::string& text, Report* report, std::string* error) {
  const std::vector<std::string> lines =
      absl::StrSplit(WithoutByteOrderMark(text), '\n', absl::SkipEmpty());
  std::set<std::string> ids;
  if (lines.size() < 2) {
    *error = "too short for a report";
    return false;
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    const Json json = Json::parse(lines[i], nullptr, false);
    if (!json.is_object()) {
      *error = absl::StrCat("line ", i + 1, ": not a JSON object");
      return false;
    }
    if (i == 0) {
      report->implementation = json.value("implementation", "");
      report->host = json.value("host", "");
      report->provided = json.value("entry_points", -1);
    } else if (i + 1 == lines.size()) {
      if (json.value("cases", -1) == static_cast<int>(report->cases.size())) {
        MakePrintable(report);
        return true;
      }
      *error = "the footer is missing, or counts other cases";
    } else {
      CaseReport c;
      if (!FromJson(json, &c)) {
        *error = absl::StrCat("line ", i + 1, ": not a case of this suite, or of another version");
        return false;
      }
      if (!ids.insert(c.id).second) {
        *error = absl::StrCat("line ", i + 1, ": case ", c.id, " is there twice");
        return false;
      }
      report->cases.push_back(c);
    }
  }
  return false;
}

}  // namespace

bool ReadJsonLines(const std::string& text, Report* report, std::string* error) {
  try {
    return ReadLines(text, report, error);
  } catch (const Json::exception& exception) {
    *error = absl::StrCat("not a report of this suite: ", exception.what());
    return false;
  }
}

}  // namespace cancelsafe::conformance
