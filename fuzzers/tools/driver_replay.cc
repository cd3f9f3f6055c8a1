// See driver_replay.h.
#include "fuzzers/tools/driver_replay.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/drivers/explain/driver_generated_test.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/explain/page.h"
#include "fuzzers/run/report.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/program_input.h"

namespace cancelsafe {
namespace {

using drivers::DriveFinding;
using drivers::DriverObservation;
using drivers::DriverProgramFile;
using drivers::DriverRunOptions;
using drivers::DriverRunOutput;
using drivers::LoadedDriver;

constexpr int kMinimizeRunsMax = 60000;

class DriverReplay {
 public:
  DriverReplay(const ReplayOptions& options, const std::string& path, GuestHost* host,
               const RepetitionsMade* repeated)
      : options_(options),
        path_(path),
        host_(host),
        repeated_(repeated),
        ignored_(drivers::IgnoredRules(options.guest.ignore)),
        file_(drivers::OpenDriverProgram(path)),
        driver_(drivers::DriverOf(file_, path, options.driver)),
        loaded_(drivers::OpenDriver(driver_, options.guest.implementation,
                                    drivers::ProfileOf(file_, path))) {
    loaded_.runner->CountRaces(!drivers::IgnoresRaces(ignored_));
  }

  // Returns the exit status.
  int Run();

 private:
  bool RepeatsItself();
  int Minimize();
  int RunUntilStep();
  void WriteExplanations(const DriverObservation& observation);
  void Write(const std::string& path, const std::string& contents, const char* what);
  // A run in this process begins, which has so many seconds; or all have ended.
  void EnterRun() {
    alarm(static_cast<unsigned>(options_.file_seconds));
    if (host_ != nullptr) host_->EnterRun();
  }
  void LeaveRuns() {
    alarm(0);
    if (host_ != nullptr) host_->LeaveRun();
  }

  const ReplayOptions& options_;
  const std::string& path_;
  GuestHost* const host_;
  const RepetitionsMade* const repeated_;
  const std::set<std::string> ignored_;
  DriverProgramFile file_;
  const std::string driver_;
  const LoadedDriver loaded_;
};

void DriverReplay::Write(const std::string& path, const std::string& contents, const char* what) {
  const absl::Status status = WriteFileAtomically(path, contents);
  RequireOk(status);
  printf("%s %s\n", what, path.c_str());
}

bool DriverReplay::RepeatsItself() {
  uint64_t digest = 0;
  Verdict first;
  for (int i = 0; i < options_.repeat; ++i) {
    EnterRun();
    const DriverRunOutput& output = loaded_.runner->Run(file_.program, DriverRunOptions());
    if (i == 0) {
      digest = output.schedule.digest;
      first = output.verdict;
    } else if (output.schedule.digest != digest || !SameFinding(first, output.verdict)) {
      const Verdict verdict = drivers::MakeDriverVerdict(
          drivers::DriverRule::kDiverged,
          absl::StrCat("repetition ", i + 1,
                       " took another course: ", VerdictLine(output.verdict)));
      printf("%s: %s\n", path_.c_str(), VerdictLine(verdict).c_str());
      return false;
    }
  }
  if (options_.digest) printf("%s: digest %016" PRIx64 "\n", path_.c_str(), digest);
  return true;
}

int DriverReplay::Minimize() {
  DriveFinding finding;
  finding.program = file_.program;
  DriverRunOptions run;
  run.schedule.record_choices = true;
  EnterRun();
  const DriverRunOutput& output = loaded_.runner->Run(file_.program, run);
  LeaveRuns();
  finding.verdict = output.verdict;
  if (finding.verdict.ok()) {
    printf("%s: %s: nothing to minimise\n", path_.c_str(), VerdictLine(Verdict()).c_str());
    return kExitOk;
  }
  finding.program.schedule = output.schedule.executed;
  finding.preemptions = output.schedule.preemptions;
  finding.decisions = output.schedule.decisions;
  const size_t operations = finding.program.operations.size();
  const int preemptions = finding.preemptions;
  finding = drivers::DriveFuzzer(loaded_.runner.get()).Minimize(finding, kMinimizeRunsMax);
  DriverProgramFile out;
  out.program = finding.program;
  out.header_comments = {
      VerdictLine(finding.verdict), absl::StrCat("driver ", driver_),
      absl::StrCat("date: ", options_.date.empty() ? Today() : options_.date),
      absl::StrCat("minimised: from ", operations, " operations and ", preemptions,
                   " preemptions to ", finding.program.operations.size(), " and ",
                   finding.preemptions),
      absl::StrCat("replay: ./cancelsafe replay", options_.guest.AsText(), " ", options_.minimize)};
  if (loaded_.profile != nullptr) {
    out.header_comments.insert(out.header_comments.begin() + 2,
                               absl::StrCat("profile ", loaded_.profile->path));
  }
  Write(options_.minimize, drivers::PrintDriverProgram(out), "minimised:");
  file_.program = finding.program;
  return -1;
}

int DriverReplay::RunUntilStep() {
  DriverRunOptions run;
  run.schedule.stop_at_step = options_.until;
  EnterRun();
  const DriverObservation observation =
      drivers::ObserveDriver(loaded_.runner.get(), *loaded_.image, file_.program, run);
  LeaveRuns();
  printf("%s", drivers::DriverTableOf(observation).c_str());
  printf(observation.stopped ? "Stopped before step %d.\n" : "The run never gets to step %d.\n",
         options_.until);
  return kExitOk;
}

void DriverReplay::WriteExplanations(const DriverObservation& observation) {
  const std::string name = path_.substr(path_.rfind('/') + 1);
  if (!options_.test.empty()) {
    Write(options_.test, drivers::DriverGeneratedTest(observation, driver_, name), "test:");
  }
  if (options_.html.empty() && options_.trace.empty()) return;
  const nlohmann::json scene = drivers::DriverSceneOf(observation, name);
  if (!options_.html.empty()) Write(options_.html, PageOf(scene), "page:");
  if (!options_.trace.empty()) Write(options_.trace, ChromeTraceOf(scene), "trace:");
}

int DriverReplay::Run() {
  NoteForCrashes(path_, nullptr, nullptr);
  if (!options_.quiet) printf("%s", loaded_.remarks.c_str());
  if (!options_.minimize.empty()) {
    const int status = Minimize();
    if (status >= 0) return status;
  }
  if (options_.until >= 0) return RunUntilStep();
  const bool same = RepeatsItself();
  if (repeated_ != nullptr) repeated_->Say();
  if (!same) return kExitViolation;
  EnterRun();
  const DriverObservation observation =
      drivers::ObserveDriver(loaded_.runner.get(), *loaded_.image, file_.program);
  LeaveRuns();
  const bool ignored = drivers::IsIgnored(ignored_, observation.verdict);
  const bool passed = observation.verdict.ok() || ignored;
  if (!options_.quiet || !passed) {
    printf("%s: %s%s\n", path_.c_str(), drivers::DriverVerdictLine(observation).c_str(),
           ignored ? " (ignored)" : "");
  }
  // With a driver that the file does not name, the question is whether that one is right.
  const bool other_driver = !options_.driver.empty() && observation.verdict.ok();
  const std::string difference =
      other_driver ? "" : HeaderDifference(file_.header_comments, observation.verdict);
  if (!difference.empty()) printf("%s: %s\n", path_.c_str(), difference.c_str());
  if (other_driver) {
    printf(
        "%s: passes with %s. Its steps may be others now; all schedules of the program: %s explore "
        "%s --driver %s\n",
        path_.c_str(), driver_.c_str(), FrontDoor().c_str(), path_.c_str(), driver_.c_str());
  }
  if (!options_.quiet) {
    printf("\n%s", drivers::DriverTableOf(observation).c_str());
    if (options_.repeat > 1) {
      printf("\nrepeat: %d runs, each with the same schedule and verdict\n", options_.repeat);
    }
  }
  WriteExplanations(observation);
  fflush(stdout);
  return passed && (difference.empty() || ignored) ? kExitOk : kExitViolation;
}

}  // namespace

bool IsDriverProgramFile(const std::string& path) {
  std::error_code error;
  // A pipe can be read only once.
  if (!std::filesystem::is_regular_file(path, error)) return false;
  const absl::StatusOr<std::string> contents = ReadBoundedFile(path);
  return contents.ok() && drivers::IsDriverProgramText(*contents);
}

int ReplayDriverFile(const ReplayOptions& options, const std::string& path, GuestHost* host,
                     const RepetitionsMade* repeated) {
  return DriverReplay(options, path, host, repeated).Run();
}

}  // namespace cancelsafe
