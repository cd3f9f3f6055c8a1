// See self_check.h.
#include "conformance/selfcheck/self_check.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "conformance/hosts/user/suite_run.h"
#include "conformance/selfcheck/defects.h"

namespace cancelsafe::conformance {

namespace {

// The built-in implementation, and the breakable one with nothing broken.
void CheckRight(const Subject& subject, const std::string& name, SelfCheckResult* result) {
  const Report right = RunSuite(subject, name, "");
  for (const CaseReport& c : right.cases) {
    if (c.verdict == CaseVerdict::kPass || c.verdict == CaseVerdict::kAmbiguous) continue;
    result->complaints.push_back(absl::StrCat(name, ": ", c.id, ": ", CaseVerdictName(c.verdict)));
  }
  result->checked = CheckedClauses(right);
}

void CheckNull(SelfCheckResult* result) {
  const Report null = RunSuite(Implementation(), "null", "");
  for (const CaseReport& c : null.cases) {
    // What needs no routine of the implementation runs on the host's kernel alone.
    if (!IsFailure(c.verdict)) continue;
    result->complaints.push_back(
        absl::StrCat("null implementation: ", c.id, ": ", CaseVerdictName(c.verdict)));
  }
}

void CheckWrong(const WrongImplementation& wrong, SelfCheckResult* result) {
  defect = wrong.defect;
  RunOptions options;
  // Many of them hang somewhere; a conforming case takes a millisecond.
  options.limits.processor_milliseconds = options.limits.idle_milliseconds = 300;
  if (wrong.kernel_defect != KernelDefect::kNoDefect) {
    options.change_host = [&wrong](suite::Host* host) { BreakKernel(wrong.kernel_defect, host); };
  }
  const Report report = RunSuite(BreakableImplementation(), wrong.name, wrong.cases, options);
  defect = Defect::kNoDefect;
  bool noticed = false;
  for (const CaseReport& c : report.cases) {
    noticed = noticed || IsFailure(c.verdict);
    for (const std::string& clause : c.failed) result->noticed_by.emplace(clause, wrong.name);
  }
  ++result->wrong;
  if (!noticed) result->unnoticed.push_back(absl::StrCat(wrong.name, ": ", wrong.story));
}

}  // namespace

SelfCheckResult RunSelfCheck(int stride) {
  return RunSelfCheck(Subject::Of(BuiltInImplementation()), "built-in", stride);
}

SelfCheckResult RunSelfCheck(const Subject& right, const std::string& name, int stride) {
  SelfCheckResult result;
  CheckRight(Subject::Of(BreakableImplementation()), "breakable", &result);
  CheckRight(right, name, &result);
  CheckNull(&result);
  // Nothing can be measured with a yardstick that is wrong itself.
  if (!result.complaints.empty()) return result;
  for (int i = 0; i < kWrongImplementationCount; i += stride) {
    CheckWrong(kWrongImplementations[i], &result);
  }
  for (const std::string& clause : result.checked) {
    if (result.noticed_by.count(clause) == 0) result.never_failed.push_back(clause);
  }
  for (const std::string& line : result.unnoticed) {
    result.complaints.push_back("not noticed: " + line);
  }
  const size_t noticed = result.checked.size() - result.never_failed.size();
  if (stride == 1 && noticed * 100 < result.checked.size() * kNoticedPercentMin) {
    result.complaints.push_back("too few clauses were seen to fail");
  }
  result.ok = result.complaints.empty();
  return result;
}

std::string SelfCheckText(const SelfCheckResult& result) {
  std::string text;
  for (const std::string& clause : result.checked) {
    const auto by = result.noticed_by.find(clause);
    absl::StrAppendFormat(
        &text, "%-16s %s\n", clause,
        by == result.noticed_by.end() ? "NEVER SEEN TO FAIL" : "noticed " + by->second);
  }
  absl::StrAppend(&text, "never seen to fail: ", absl::StrJoin(result.never_failed, " "), "\n");
  for (const std::string& complaint : result.complaints) absl::StrAppend(&text, complaint, "\n");
  const size_t noticed = result.checked.size() - result.never_failed.size();
  absl::StrAppendFormat(&text,
                        "self-check %s: %d wrong implementations, %d of %d checked clauses seen "
                        "to fail (%d %%)\n",
                        result.ok ? "passed" : "FAILED", result.wrong, noticed,
                        result.checked.size(),
                        result.checked.empty() ? 0 : noticed * 100 / result.checked.size());
  return text;
}

}  // namespace cancelsafe::conformance
