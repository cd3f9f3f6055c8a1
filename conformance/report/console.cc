// The report at the terminal.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

struct Row {
  std::string routine;
  int passed = 0;
  int failed = 0;
  int not_provided = 0;
  int ambiguous = 0;
  int other = 0;  // expected failures and cases that could not run here
};

void Count(CaseVerdict verdict, Row* row) {
  switch (verdict) {
    case CaseVerdict::kPass:
      ++row->passed;
      return;
    case CaseVerdict::kAmbiguous:
      ++row->ambiguous;
      return;
    case CaseVerdict::kNotProvided:
      ++row->not_provided;
      return;
    case CaseVerdict::kExpectedFailure:
    case CaseVerdict::kNotRun:
      ++row->other;
      return;
    default:
      ++row->failed;
  }
}

std::string Line(const Row& row) {
  return absl::StrFormat("%-32s %7d %7d %13d %10d %7d\n", row.routine, row.passed, row.failed,
                         row.not_provided, row.ambiguous, row.other);
}

void AppendFailure(const CheckFailure& failure, std::string* text) {
  for (const std::string& id : failure.clauses) {
    const Clause* clause = FindClause(id);
    if (clause == nullptr) continue;
    absl::StrAppend(text, "  ", id, "  ", clause->rule, "\n      source: ", clause->source, " [",
                    EvidenceWords(clause->evidence), "]\n");
  }
  absl::StrAppend(text, "  ", failure.what, "  (", failure.at, ")\n");
  absl::StrAppendFormat(text, "      expected  %-34s | seen  %s\n", failure.expected, failure.seen);
}

}  // namespace

std::string ConsoleTable(const Report& report) {
  std::vector<Row> rows;
  Row sum;
  sum.routine = "all";
  for (const CaseReport& c : report.cases) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const Row& r) { return r.routine == c.routine; });
    if (row == rows.end()) {
      rows.emplace_back();
      row = rows.end() - 1;
      row->routine = c.routine;
    }
    Count(c.verdict, &*row);
    Count(c.verdict, &sum);
  }
  std::string text = absl::StrFormat("%-32s %7s %7s %13s %10s %7s\n", "routine", "passed", "failed",
                                     "not provided", "ambiguous", "other");
  for (const Row& row : rows) text += Line(row);
  return text + Line(sum);
}

std::string ConsoleFailures(const Report& report) {
  std::string text;
  for (const CaseReport& c : report.cases) {
    if (!IsFailure(c.verdict)) continue;
    absl::StrAppend(&text, "\n", CaseVerdictName(c.verdict), ": ", c.id, "\n  ", c.requirement,
                    "\n");
    if (!c.reason.empty()) absl::StrAppend(&text, "  ", c.reason, "\n");
    if (c.failures.empty()) absl::StrAppend(&text, "  ", absl::StrJoin(c.clauses, " "), "\n");
    for (const CheckFailure& failure : c.failures) AppendFailure(failure, &text);
    if (!c.steps.empty()) absl::StrAppend(&text, "  steps:\n");
    for (const std::string& step : c.steps) absl::StrAppend(&text, "    ", step, "\n");
    if (!c.trace.empty()) absl::StrAppend(&text, "  callbacks:\n");
    for (const std::string& event : c.trace) absl::StrAppend(&text, "    ", event, "\n");
  }
  if (!text.empty()) text += "\n";
  if (report.left_out != 0) {
    absl::StrAppend(&text, report.left_out, " cases check the kernel of this host alone, and are ",
                    "left out: ", report.implementation, " does not provide it\n");
  }
  for (const auto& [ambiguity, texts] : Readings(report)) {
    absl::StrAppend(&text, ambiguity, "  ", AmbiguityQuestion(ambiguity), "\n    ",
                    absl::StrJoin(texts, "; "), "\n");
  }
  return text;
}

std::string ClosingLine(const Report& report) {
  int failures = 0;
  for (const CaseReport& c : report.cases) failures += IsFailure(c.verdict);
  return absl::StrFormat(
      "%s: %s: %d cases, %d passed, %d ambiguous, %d not provided, %d not run, %d failed, "
      "%d expected failures; %d clauses checked%s\n",
      failures == 0 && report.stale.empty() ? "conforms" : "does not conform",
      report.implementation, report.cases.size(), CountOf(report, CaseVerdict::kPass),
      CountOf(report, CaseVerdict::kAmbiguous), CountOf(report, CaseVerdict::kNotProvided),
      CountOf(report, CaseVerdict::kNotRun), failures,
      CountOf(report, CaseVerdict::kExpectedFailure), CheckedClauses(report).size(),
      report.stale.empty() ? "" : absl::StrCat("; ", report.stale.size(), " stale expectations"));
}

}  // namespace cancelsafe::conformance
