// See target_failures.h.
#include "fuzzers/targets/target_failures.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "fuzzers/run/report.h"
#include "fuzzers/targets/confirm.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/targets/target_report.h"
#include "fuzzers/targets/target_state.h"
#include "fuzzers/targets/watched_guest.h"

namespace cancelsafe {
namespace {

// Of AFL++'s limit for a process, which cannot be changed, what a fresh one may take.
constexpr int kConfirmSeconds = 3;

// What a failure is saved as. The name of one that is not confirmed says so, too, in `prefix`.
std::string PathFor(const Failure& failure, const char* prefix) {
  return absl::StrCat(target->flags.artifacts, "/", prefix,
                      FailureFileName(failure.program, failure.verdict));
}

// Saves the failure and tells the campaign; `why` says what an unconfirmed one gave
// instead, or is "". Also called from a sanitizer's report.
void SaveFailure(const Failure& failure, const std::string& why) {
  TargetReport report;
  report.verdict = failure.verdict;
  report.unconfirmed = why;
  const std::string path = PathFor(failure, why.empty() ? "" : kUnconfirmed);
  const std::string command =
      absl::StrCat(target->flags.front_door, " replay", target->flags.replay_flags, " ", path);
  std::vector<std::string> origin = {absl::StrCat("replay: ", command)};
  if (!why.empty()) origin.push_back(absl::StrCat("unconfirmed: ", why));
  const absl::Status status = WriteFileAtomically(
      (target->folder / path).string(), FailureFile(failure.program, failure.verdict, origin));
  if (!status.ok()) {
    fprintf(stderr, "\ncancelsafe: %s\n", std::string(status.message()).c_str());
  } else {
    report.saved = path;
    report.replay = command;
    fprintf(stderr, "\n%s%s\n", why.empty() ? "" : "unconfirmed: ", why.c_str());
    fprintf(stderr, "saved:  %s\nreplay: %s\n", path.c_str(), command.c_str());
  }
  fprintf(stderr, "%s\n", TargetReportLine(report).c_str());
  if (why.empty()) NoteReported();
}

// The report of a failure for people, then SaveFailure.
void ReportFailure(const Failure& failure) {
  fprintf(stderr, "\n%s",
          FailureReport(failure.program, target->runner->history(), failure.verdict).c_str());
  SaveFailure(failure, "");
}

[[noreturn]] void EndBriefly() {
  fflush(nullptr);
  _exit(kEngineErrorStatus);
}

// The process ends of what --ignore leaves out: the campaign starts it again.
void SayLeftOut(const Verdict& verdict) {
  TargetReport report;
  report.verdict = verdict;
  report.left_out = true;
  AddTo(&target->stats->unknown, 1);
  fprintf(stderr, "\n%s\n%s\n", VerdictLine(Runner::CutShort(verdict)).c_str(),
          TargetReportLine(report).c_str());
  NoteReported();
}

// The input that a guest was at work on when the process ended.
Failure FailureOfInput(const Verdict& verdict, const uint8_t* data, size_t size) {
  Failure failure;
  failure.verdict = verdict;
  LoadInput(data, size, &failure.program);
  return failure;
}

// Where no history tells more.
void TellAndSave(const Failure& failure) {
  fprintf(stderr, "\n%s\n", VerdictLine(failure.verdict).c_str());
  SaveFailure(failure, "");
}

// A violation that did not happen again is counted, and saved apart: it may be the
// implementation's, or this program's, which is worth as much. A flood of one of them
// would fill the disk with the same.
void KeepUnconfirmed(const Failure& failure, const std::string& why) {
  constexpr int kSavedMax = 16;
  AddTo(&target->stats->unconfirmed, 1);
  if (++target->unconfirmed[VerdictKey(failure.verdict)] > kSavedMax) return;
  SaveFailure(failure, why);
}

// A file that says what is known while the fresh process runs: whatever becomes of this
// one, the failure is not lost.
std::string ConfirmInFreshProcess(const Failure& failure) {
  const std::string path = (target->folder / PathFor(failure, kBeingConfirmed)).string();
  const absl::Status status = WriteFileAtomically(
      path, FailureFile(failure.program, failure.verdict,
                        {"unconfirmed: the process ended while it was being confirmed"}));
  if (!status.ok()) return "";  // SaveFailure says what is wrong
  std::vector<std::string> command = {"/proc/self/exe"};
  command.insert(command.end(), target->flags.own_flags.begin(), target->flags.own_flags.end());
  command.push_back(absl::StrCat("--confirm=", path));
  // Before AFL++'s own limit, 10 seconds, ends the process that waits.
  if (UnderAfl()) command.push_back(absl::StrCat("-timeout=", kConfirmSeconds));
  SetRunning(false);
  std::string why = ConfirmInFreshProcess(command, failure.verdict);
  SetRunning(true);
  unlink(path.c_str());
  return why;
}

}  // namespace

void OnSanitizerReport(VerdictKind kind, const char* description) {
  PublishCoverage();
  const Verdict verdict = FaultVerdict(kind, target->family, description);
  if (target->flags.options.ignore.Covers(verdict)) {
    SayLeftOut(verdict);
  } else {
    ReportFailure({target->program, verdict});
    if (target->flags.brief) EndBriefly();
  }
}

// libFuzzer sees by itself that the implementation ended the process; to AFL++ that is
// one more run.
void OnExit() {
  if (!Runner::in_run() || !UnderAfl()) return;
  ReportFailure({target->program, ExitVerdict(target->family)});
  SetFaultHook(nullptr);
  abort();
}

// Before the other process exists, which would go on fuzzing.
void OnFork() {
  if (!Runner::in_run()) return;
  Verdict verdict = ExitVerdict(target->family);
  verdict.reason = "the implementation started another process";
  ReportFailure({target->program, verdict});
  SetFaultHook(nullptr);
  abort();
}

void ReportDeathOfGuest(Rule rule, const char* reason, const uint8_t* data, size_t size) {
  Verdict verdict = MakeVerdict(rule, target->family);
  verdict.reason = reason;
  if (target->flags.confirm.empty()) {
    TellAndSave(FailureOfInput(verdict, data, size));
    return;
  }
  TargetReport answer;
  answer.verdict = verdict;
  printf("%s\n", TargetReportLine(answer).c_str());
}

// TSan may see a race in one run that it misses in the next, since it remembers few
// accesses and forgets by a counter of its own.
void HandleFailedRun(const Program& program) {
  const Verdict seen = target->runner->output().verdict;
  if (seen.kind == VerdictKind::kUnknown) {
    AddTo(&target->stats->unknown, 1);
    return;
  }
  Failure failure;
  std::string why = ConfirmFromChoices(target->runner.get(), program, seen, &failure);
  if (why.empty()) why = ConfirmInFreshProcess(failure);
  if (!SameFinding(failure.verdict, seen)) {
    // What was seen first did not come back, but something else did.
    KeepUnconfirmed({program, seen},
                    "the same program gave, when it was recorded: " + VerdictLine(failure.verdict));
  }
  if (!why.empty()) {
    KeepUnconfirmed(failure, why);
    return;
  }
  PublishCoverage();
  // The history of the failure again, for the report.
  target->runner->Executed(failure.program);
  ReportFailure(failure);
  PrintSummary();
  if (target->flags.brief) EndBriefly();
  SetFaultHook(nullptr);
  abort();
}

void ReportLeftInput() {
  std::string bytes;
  if (!LeftByProcessBefore(&bytes)) return;
  const Failure failure = FailureOfInput(
      ExitVerdict(target->family), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const std::string why = ConfirmInFreshProcess(failure);
  SetRunning(false);
  if (!why.empty()) {
    KeepUnconfirmed(failure, why);
    return;
  }
  TellAndSave(failure);
}

}  // namespace cancelsafe
