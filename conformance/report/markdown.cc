// The table for pull requests: short, with everything that is not a pass spelled
// out below it.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/printable.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

std::string Markdown(const Report& report) {
  std::string closing = ClosingLine(report);
  closing.pop_back();
  std::string text = absl::StrCat("## Conformance of ", InTableCell(report.implementation), "\n\n",
                                  InTableCell(closing), "\n\n");
  std::vector<std::string> order;
  std::map<std::string, std::map<CaseVerdict, int>> counts;
  for (const CaseReport& c : report.cases) {
    if (counts.count(c.routine) == 0) order.push_back(c.routine);
    ++counts[c.routine][c.verdict];
  }
  absl::StrAppend(&text,
                  "| routine | passed | failed | not provided | ambiguous | other |\n"
                  "|---|---:|---:|---:|---:|---:|\n");
  for (const std::string& routine : order) {
    int failed = 0;
    int other = 0;
    for (const auto& [verdict, count] : counts[routine]) {
      if (IsFailure(verdict)) failed += count;
      if (verdict == CaseVerdict::kExpectedFailure || verdict == CaseVerdict::kNotRun)
        other += count;
    }
    absl::StrAppend(&text, "| ", routine, " | ", counts[routine][CaseVerdict::kPass], " | ", failed,
                    " | ", counts[routine][CaseVerdict::kNotProvided], " | ",
                    counts[routine][CaseVerdict::kAmbiguous], " | ", other, " |\n");
  }
  bool headed = false;
  for (const CaseReport& c : report.cases) {
    if (!IsFailure(c.verdict) && c.verdict != CaseVerdict::kExpectedFailure) continue;
    if (!headed) {
      absl::StrAppend(&text,
                      "\n| case | verdict | clauses | expected | seen |\n"
                      "|---|---|---|---|---|\n");
    }
    headed = true;
    if (c.failures.empty()) {
      absl::StrAppend(&text, "| ", c.id, " | ", CaseVerdictName(c.verdict), " | ",
                      absl::StrJoin(c.clauses, " "), " | | ", InTableCell(c.reason), " |\n");
    }
    for (const CheckFailure& failure : c.failures) {
      absl::StrAppend(&text, "| ", c.id, " | ", CaseVerdictName(c.verdict), " | ",
                      absl::StrJoin(failure.clauses, " "), " | `", InTableCell(failure.expected),
                      "` | `", InTableCell(failure.seen), "` |\n");
    }
  }
  const auto readings = Readings(report);
  if (!readings.empty()) absl::StrAppend(&text, "\n| ambiguity | reading followed |\n|---|---|\n");
  for (const auto& [ambiguity, texts] : readings) {
    absl::StrAppend(&text, "| ", ambiguity, ": ", AmbiguityQuestion(ambiguity), " | ",
                    InTableCell(absl::StrJoin(texts, "; ")), " |\n");
  }
  return text;
}

}  // namespace cancelsafe::conformance
