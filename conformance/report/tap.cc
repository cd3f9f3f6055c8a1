// TAP 14. What the suite's own writer leaves out, since it knows no expectations,
// is here: TODO for expected failures, and the final verdicts.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

std::string Directive(const CaseReport& c) {
  if (c.verdict == CaseVerdict::kNotProvided || c.verdict == CaseVerdict::kNotRun) {
    return absl::StrCat(" # SKIP ", CaseVerdictName(c.verdict), ": ", c.reason);
  }
  if (c.verdict == CaseVerdict::kExpectedFailure) return absl::StrCat(" # TODO ", c.reason);
  return "";
}

}  // namespace

std::string Tap14(const Report& report) {
  std::string tap = absl::StrCat("TAP version 14\n1..", report.cases.size(), "\n");
  int number = 0;
  for (const CaseReport& c : report.cases) {
    const bool ok = !IsFailure(c.verdict) && c.verdict != CaseVerdict::kExpectedFailure;
    absl::StrAppend(&tap, ok ? "ok " : "not ok ", ++number, " - ", c.id, Directive(c),
                    "\n  ---\n  verdict: ", CaseVerdictName(c.verdict), "\n");
    if (!c.reason.empty()) absl::StrAppend(&tap, "  reason: ", Quoted(c.reason), "\n");
    absl::StrAppend(&tap, "  checks:\n");
    if (!c.passed.empty()) {
      absl::StrAppend(&tap, "    - passed: ", absl::StrJoin(c.passed, " "), "\n");
    }
    if (!c.failed.empty()) {
      absl::StrAppend(&tap, "    - failed: ", absl::StrJoin(c.failed, " "), "\n");
    }
    if (!c.readings.empty()) absl::StrAppend(&tap, "  readings:\n");
    for (const auto& [ambiguity, text] : c.readings) {
      absl::StrAppend(&tap, "    - ", ambiguity, ": ", Quoted(text), "\n");
    }
    if (!c.failures.empty()) absl::StrAppend(&tap, "  failures:\n");
    for (const CheckFailure& failure : c.failures) {
      absl::StrAppend(&tap, "    - clauses: ", absl::StrJoin(failure.clauses, " "),
                      "\n      at: ", failure.at, "\n      what: ", Quoted(failure.what),
                      "\n      expected: ", Quoted(failure.expected),
                      "\n      seen: ", Quoted(failure.seen), "\n");
    }
    if (IsFailure(c.verdict) || c.verdict == CaseVerdict::kExpectedFailure) {
      absl::StrAppend(&tap, "  steps:\n");
      for (const std::string& step : c.steps) absl::StrAppend(&tap, "    - ", Quoted(step), "\n");
    }
    absl::StrAppend(&tap, "  ...\n");
  }
  return tap;
}

}  // namespace cancelsafe::conformance
