// See mutants_check.h.
#include "conformance/selfcheck/mutants_check.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "conformance/hosts/user/suite_run.h"
#include "oracle/family.h"

namespace cancelsafe::conformance {

namespace {

// The cases of a mutant's family; of the implementation as it is, all.
std::string CasesFor(const Mutant& mutant) {
  if (mutant.path.empty()) return "";
  return absl::StrCat(absl::AsciiStrToLower(InfoOf(mutant.family).prefix), ".*");
}

MutantNotice Check(const Mutant& mutant, const GuestBuilder& builder) {
  MutantNotice notice;
  notice.id = mutant.id;
  notice.bug_class = mutant.bug_class;
  notice.concurrent = mutant.concurrent;
  const absl::StatusOr<std::string> path = builder.Build(mutant);
  if (!path.ok()) {
    notice.complaint = std::string(path.status().message());
    return notice;
  }
  Subject subject;
  if (!Subject::Of(*path, &subject, &notice.complaint)) return notice;
  RunOptions options;
  // Some of them hang; a conforming case takes a millisecond.
  options.limits.processor_milliseconds = options.limits.idle_milliseconds = 300;
  const Report report = RunSuite(subject, mutant.id, CasesFor(mutant), options);
  for (const CaseReport& c : report.cases) {
    if (!IsFailure(c.verdict)) continue;
    if (notice.cases.empty()) notice.clauses.assign(c.failed.begin(), c.failed.end());
    notice.cases.push_back(c.id);
  }
  return notice;
}

}  // namespace

std::vector<MutantNotice> RunSuiteOnMutants(const std::vector<Mutant>& mutants,
                                            const GuestBuilder& builder,
                                            const std::function<void(const MutantNotice&)>& done) {
  std::vector<MutantNotice> notices;
  for (const Mutant& mutant : mutants) {
    notices.push_back(Check(mutant, builder));
    done(notices.back());
  }
  return notices;
}

std::string MutantLine(const MutantNotice& notice) {
  if (!notice.complaint.empty()) {
    return absl::StrFormat("%-36s not tried: %s\n", notice.id, notice.complaint);
  }
  if (!notice.noticed()) {
    return absl::StrFormat("%-36s -%s\n", notice.id, notice.concurrent ? " (concurrent)" : "");
  }
  return absl::StrFormat("%-36s %-36s %3d cases  %s\n", notice.id, notice.cases.front(),
                         notice.cases.size(), absl::StrJoin(notice.clauses, " "));
}

std::string MutantsClosingLine(const std::vector<MutantNotice>& notices) {
  int noticed = 0;
  int sequential = 0;
  int sequential_noticed = 0;
  int not_tried = 0;
  for (const MutantNotice& notice : notices) {
    noticed += notice.noticed();
    sequential += !notice.concurrent;
    sequential_noticed += !notice.concurrent && notice.noticed();
    not_tried += !notice.complaint.empty();
  }
  std::string line = absl::StrFormat("%d of %d mutants noticed, %d of %d that one thread can show",
                                     noticed, notices.size(), sequential_noticed, sequential);
  if (not_tried != 0) absl::StrAppendFormat(&line, "; %d could not be tried", not_tried);
  return line + "\n";
}

}  // namespace cancelsafe::conformance
