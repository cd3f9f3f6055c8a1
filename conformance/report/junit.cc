// JUnit XML, as CI servers read it: a suite for each routine.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/report/printable.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

std::string Details(const CaseReport& c) {
  std::string text = c.requirement + "\n";
  if (!c.reason.empty()) absl::StrAppend(&text, c.reason, "\n");
  for (const CheckFailure& failure : c.failures) {
    absl::StrAppend(&text, absl::StrJoin(failure.clauses, " "), ": ", failure.what, " (",
                    failure.at, ")\n  expected ", failure.expected, "\n  seen     ", failure.seen,
                    "\n");
  }
  for (const std::string& step : c.steps) absl::StrAppend(&text, "  ", step, "\n");
  return text;
}

void AppendCase(const CaseReport& c, std::string* xml) {
  absl::StrAppend(
      xml, "    <testcase classname=\"", InMarkup(c.routine), "\" name=\"", InMarkup(c.id),
      "\">\n      <properties>\n        <property name=\"clauses\" "
      "value=\"",
      absl::StrJoin(c.clauses, " "), "\"/>\n        <property name=\"verdict\" value=\"",
      CaseVerdictName(c.verdict), "\"/>\n      </properties>\n");
  if (c.verdict == CaseVerdict::kCrash || c.verdict == CaseVerdict::kTimeout) {
    absl::StrAppend(xml, "      <error type=\"", CaseVerdictName(c.verdict), "\" message=\"",
                    InMarkup(c.reason), "\">", InMarkup(Details(c)), "</error>\n");
  } else if (IsFailure(c.verdict)) {
    absl::StrAppend(xml, "      <failure type=\"", CaseVerdictName(c.verdict), "\" message=\"",
                    InMarkup(c.failures.empty() ? c.reason : c.failures.front().what), "\">",
                    InMarkup(Details(c)), "</failure>\n");
  } else if (c.verdict != CaseVerdict::kPass && c.verdict != CaseVerdict::kAmbiguous) {
    absl::StrAppend(xml, "      <skipped message=\"", CaseVerdictName(c.verdict), ": ",
                    InMarkup(c.reason), "\"/>\n");
  }
  absl::StrAppend(xml, "    </testcase>\n");
}

std::string SuiteBegin(absl::string_view name, size_t tests, size_t failures, int errors,
                       int skipped) {
  return absl::StrCat("  <testsuite name=\"", InMarkup(name), "\" tests=\"", tests,
                      "\" failures=\"", failures, "\" errors=\"", errors, "\" skipped=\"", skipped,
                      "\">\n");
}

}  // namespace

std::string JUnitXml(const Report& report) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const CaseReport*>> by_routine;
  for (const CaseReport& c : report.cases) {
    if (by_routine[c.routine].empty()) order.push_back(c.routine);
    by_routine[c.routine].push_back(&c);
  }
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  absl::StrAppend(&xml, "<testsuites name=\"cancelsafe ", InMarkup(report.implementation),
                  "\" tests=\"", report.cases.size() + report.stale.size(), "\">\n");
  for (const std::string& routine : order) {
    size_t failures = 0;
    int errors = 0;
    int skipped = 0;
    for (const CaseReport* c : by_routine[routine]) {
      const bool error = c->verdict == CaseVerdict::kCrash || c->verdict == CaseVerdict::kTimeout;
      errors += error;
      failures += !error && IsFailure(c->verdict);
      skipped += c->verdict == CaseVerdict::kNotProvided || c->verdict == CaseVerdict::kNotRun ||
                 c->verdict == CaseVerdict::kExpectedFailure;
    }
    absl::StrAppend(&xml,
                    SuiteBegin(routine, by_routine[routine].size(), failures, errors, skipped));
    for (const CaseReport* c : by_routine[routine]) AppendCase(*c, &xml);
    absl::StrAppend(&xml, "  </testsuite>\n");
  }
  if (!report.stale.empty()) {
    const size_t count = report.stale.size();
    absl::StrAppend(&xml, SuiteBegin("expectations", count, count, 0, 0));
    for (const std::string& line : report.stale) {
      absl::StrAppend(&xml, "    <testcase classname=\"expectations\" name=\"", InMarkup(line),
                      "\">\n      <failure type=\"stale\" message=\"this line matches no case of "
                      "the suite\"/>\n    </testcase>\n");
    }
    absl::StrAppend(&xml, "  </testsuite>\n");
  }
  return xml + "</testsuites>\n";
}

}  // namespace cancelsafe::conformance
