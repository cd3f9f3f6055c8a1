// See replay_file.h.
#include "fuzzers/tools/replay_file.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/counted.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/explain/generated_test.h"
#include "fuzzers/explain/page.h"
#include "fuzzers/explain/scene.h"
#include "fuzzers/explain/story.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/run/item_table.h"
#include "fuzzers/run/report.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/driver_replay.h"
#include "fuzzers/tools/minimize_failure.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/stop_at.h"

namespace cancelsafe {
namespace {

std::string Size(const Program& program) {
  return absl::StrCat(Counted(program.operation_count, "operation"), " on ",
                      Counted(program.fibers, "fiber"));
}

class Replay {
 public:
  Replay(const ReplayOptions& options, const std::string& path,
         const Implementation& implementation, GuestHost* host, const RepetitionsMade* repeated)
      : options_(options),
        path_(path),
        implementation_(implementation),
        host_(host),
        repeated_(repeated) {}

  // Returns the exit status.
  int Run();

 private:
  std::string TakeFailingSchedule();
  std::string AboutReusedIrps() const;
  std::string AboutStaleChoices() const;
  int Minimize();
  int RunUntilStep();
  void WriteExplanations(const Observation& observation);
  void WriteTest(const Program& program, const Verdict& verdict, const std::string& table);
  void WriteTestOfCrash();
  void Write(const std::string& path, const std::string& contents, const char* what);
  bool RepeatsItself(Runner* runner);
  // A run in this process begins, which has so many seconds; or all have ended.
  void EnterRun() {
    alarm(static_cast<unsigned>(options_.file_seconds));
    if (host_ != nullptr) host_->EnterRun();
  }
  void LeaveRuns() {
    alarm(0);
    if (host_ != nullptr) host_->LeaveRun();
  }
  std::string DebuggerCommand() const;

  const ReplayOptions& options_;
  const std::string& path_;
  const Implementation& implementation_;
  GuestHost* const host_;
  const RepetitionsMade* const repeated_;
  // A guest may change the working directory.
  const std::filesystem::path folder_ = std::filesystem::current_path();
  ProgramFile file_;
  Runner* runner_ = nullptr;
};

void Replay::Write(const std::string& path, const std::string& contents, const char* what) {
  const absl::Status status = WriteFileAtomically((folder_ / path).string(), contents);
  RequireOk(status);
  printf("%s %s\n", what, path.c_str());
}

std::string Replay::DebuggerCommand() const {
  return absl::StrCat("gdb --args ", OwnPath(), " replay", options_.RepeatFlags(), " ", path_);
}

bool Replay::RepeatsItself(Runner* runner) {
  schedule::RunOptions run_options;
  run_options.fresh_records = true;
  runner->Run(file_.program, run_options);
  const uint64_t digest = runner->Digest();
  for (int i = 1; i < options_.repeat; ++i) {
    EnterRun();
    runner->Run(file_.program, run_options);
    if (runner->Digest() == digest) continue;
    Verdict verdict = MakeVerdict(Rule::kDiverged, file_.program.setup.family, "replay");
    verdict.reason = absl::StrCat("repetition ", i + 1, " gave another digest");
    printf("%s: %s\n", path_.c_str(), VerdictLine(verdict).c_str());
    return false;
  }
  if (options_.digest) printf("%s: digest %016" PRIx64 "\n", path_.c_str(), digest);
  return true;
}

int Replay::RunUntilStep() {
  const Program executed = runner_->Executed(file_.program);
  printf("%s", RunUntil(runner_, executed, options_.until).c_str());
  if (!BeingDebugged()) {
    printf("To look at it there: %s\n(run, then bt shows the call of the fiber)\n",
           absl::StrCat("gdb --args ", OwnPath(), " replay", options_.RepeatFlags(), " --until ",
                        options_.until, " ", path_)
               .c_str());
  }
  return 0;
}

// What an engine saved may fail under another of the schedules that it stands for than
// the first. Makes that one the file's; what to say of it, or "".
std::string Replay::TakeFailingSchedule() {
  const int count = ScheduleCount(file_.program);
  if (count == 1) return "";
  Judge judge(runner_);
  Program program = file_.program;
  Program not_judged;
  int failing = 0, unknown = 0;
  if (ForEachSchedule(&program, [&](int number) {
        failing = number;
        const bool failed = judge.Run(program).failed();
        if (!failed && judge.verdict().kind == VerdictKind::kUnknown && unknown++ == 0) {
          not_judged = program;
        }
        return !failed;
      })) {
    if (unknown != 0) {
      file_.program = not_judged;
      return absl::StrCat("of the ", count,
                          " schedules that this input stands for none fails, but ", unknown,
                          " could not be judged; the first of them:");
    }
    return absl::StrCat("passes under all ", count,
                        " schedules that this input stands for; the first:");
  }
  file_.program = program;
  return absl::StrCat("schedule ", failing, " of the ", count, " that this input stands for");
}

// That this build does not reuse the memory of IRPs, if the file asks for it, or "".
std::string Replay::AboutReusedIrps() const {
  if (!file_.program.setup.reused_irps || ItemTable::kReusesIrpMemory) return "";
  return "its 'irps=reused' was left out: this build gives each IRP memory of its own, since "
         "ThreadSanitizer would take a new one for a race with the old";
}

// What hinders the stale choices that the file lists, or "".
std::string Replay::AboutStaleChoices() const {
  if (file_.program.schedule.stale_count == 0) return "";
  if (!memory::kHooked) {
    return "its stale choices were left out, as this build has no memory engine: replay with "
           "--sanitizer model";
  }
  if (!runner_->output().stale_diverged) return "";
  return "diverged: the run did not meet the choices that the file's line 'stale-choices' lists, "
         "so it is "
         "another run than the one that was saved";
}

int Replay::Minimize() {
  Judge judge(runner_);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto progress = [terminal](const MinimizeProgress& now) {
    const std::string stale =
        now.stale == 0
            ? ""
            : absl::StrCat(", ", now.stale, now.stale == 1 ? " stale choice" : " stale choices");
    fprintf(stderr, "%s%d operations, %d fibers, %d choices%s after %d attempts%s",
            terminal ? "\r" : "", now.operations, now.fibers, now.choices, stale.c_str(),
            now.attempts, terminal ? "   " : "\n");
  };
  const Program before = file_.program;
  judge.Run(before);
  const Verdict verdict_before = judge.verdict();
  const MinimizedFailure result = MinimizeFailure(&judge, before, progress);
  if (terminal) fprintf(stderr, "\n");
  if (!result.identity.failed()) {
    printf("%s: %s: nothing to minimise\n", path_.c_str(), VerdictLine(Verdict()).c_str());
    return 0;
  }
  file_.program = result.program;
  judge.Run(result.program);
  ProgramFile out;
  out.program = result.program;
  // A verdict may quote several lines; a comment is one.
  out.header_comments.push_back(VerdictLine(judge.verdict()));
  out.header_comments.push_back(
      absl::StrCat("date: ", options_.date.empty() ? Today() : options_.date));
  std::string found = absl::StrCat("found: in ", path_.substr(path_.rfind('/') + 1));
  for (const std::string& line : file_.header_comments) {
    if (absl::StartsWith(line, "found: ")) found = line;
  }
  out.header_comments.push_back(found);
  out.header_comments.push_back(
      absl::StrCat("minimised: from ", Size(before), " to ", Size(result.program)));
  out.header_comments.push_back(absl::StrCat("replay: ", FrontDoor(), " replay",
                                             options_.guest.AsText(), " ", options_.minimize));
  Write(options_.minimize, PrintProgramFile(out), "minimised:");
  if (VerdictKey(judge.verdict()) != VerdictKey(verdict_before)) {
    printf("minimised, it is told as %s; as it was, as %s\n", VerdictKey(judge.verdict()).c_str(),
           VerdictKey(verdict_before).c_str());
    // What follows is compared with what the header names, which was right.
    if (HeaderDifference(file_.header_comments, verdict_before).empty()) {
      file_.header_comments = out.header_comments;
    }
  }
  return -1;
}

void Replay::WriteTest(const Program& program, const Verdict& verdict, const std::string& table) {
  GeneratedTestOptions test;
  test.points_at_every_access = options_.guest.points == "all";
  test.strict = options_.guest.strict;
  test.verdict = verdict;
  test.table = table;
  test.remarks = {absl::StrCat("From ", path_.substr(path_.rfind('/') + 1), ".")};
  Write(options_.test, GeneratedTest(program, test), "test:");
}

// A run that takes the process down has no end to tell of: only its steps can be
// written out.
void Replay::WriteTestOfCrash() {
  if (options_.test.empty()) return;
  Judge judge(runner_);
  Program executed = file_.program;
  const FailureIdentity identity = judge.Run(file_.program, &executed.schedule);
  if (!judge.died() || !identity.failed()) return;
  if (!judge.Run(executed).SameAs(identity)) executed = file_.program;
  WriteTest(executed, judge.verdict(), "");
}

void Replay::WriteExplanations(const Observation& observation) {
  if (!options_.test.empty()) {
    WriteTest(observation.program, observation.verdict, TableOf(observation));
  }
  if (options_.html.empty() && options_.trace.empty()) return;
  const nlohmann::json scene = SceneOf(observation, path_.substr(path_.rfind('/') + 1));
  if (!options_.html.empty()) Write(options_.html, PageOf(scene), "page:");
  if (!options_.trace.empty()) Write(options_.trace, ChromeTraceOf(scene), "trace:");
}

int Replay::Run() {
  absl::StatusOr<ProgramFile> file = OpenProgramFile(path_, FamilyOfTarget(options_.target));
  if (!file.ok()) throw UsageError(std::string(file.status().message()));
  file_ = *std::move(file);
  const char* missing = nullptr;
  Runner runner(file_.program.setup.family, implementation_, RunnerOptionsOf(options_.guest),
                &missing);
  CheckProvided(missing);
  runner_ = &runner;
  const std::string schedule = TakeFailingSchedule();
  if (!options_.minimize.empty()) {
    const int status = Minimize();
    if (status >= 0) return status;
  }
  WriteTestOfCrash();
  NoteForCrashes(path_, &file_.program, &runner);
  if (options_.until >= 0) return RunUntilStep();
  EnterRun();
  const bool same = RepeatsItself(&runner);
  if (repeated_ != nullptr) repeated_->Say();
  if (!same) return kExitViolation;
  const std::string divergence = Divergence(&runner, file_.program);
  const bool choices = file_.program.schedule.kind == schedule::Kind::kChoices;
  const Observation observation =
      Observe(&runner, choices ? file_.program : runner.Executed(file_.program));
  LeaveRuns();
  // The parent says what it is.
  if (host_ != nullptr && !host_->Changes().empty()) return kExitViolation;
  const bool passed = observation.verdict.ok();
  if (!options_.quiet || !passed) {
    if (!schedule.empty()) printf("%s: %s\n", path_.c_str(), schedule.c_str());
    printf("%s: %s\n", path_.c_str(), VerdictLineOf(observation).c_str());
    if (!divergence.empty()) printf("%s\n", divergence.c_str());
  }
  for (const std::string& about : {AboutReusedIrps(), AboutStaleChoices()}) {
    if (!about.empty()) printf("%s: %s\n", path_.c_str(), about.c_str());
  }
  const std::string difference = HeaderDifference(file_.header_comments, observation.verdict);
  if (!difference.empty()) printf("%s: %s\n", path_.c_str(), difference.c_str());
  if (!options_.quiet) {
    printf("\n%s", StoryOf(observation).c_str());
    if (options_.repeat > 1) {
      printf("\nrepeat: %d runs, each with the same history, schedule and verdict\n",
             options_.repeat);
    }
    if (!passed) printf("\ndebug: %s\n", DebuggerCommand().c_str());
  }
  WriteExplanations(observation);
  fflush(stdout);
  return passed && difference.empty() ? 0 : kExitViolation;
}

}  // namespace

std::string Today() {
  const time_t now = time(nullptr);
  tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::string ReplayOptions::RepeatFlags() const {
  return absl::StrCat(guest.AsText(), target.empty() ? "" : " --target ", target,
                      driver.empty() ? "" : " --driver ", driver);
}

int ReplayFile(const ReplayOptions& options, const Implementation& implementation,
               const std::string& path, GuestHost* host, const RepetitionsMade* repeated) {
  if (IsDriverProgramFile(path)) return ReplayDriverFile(options, path, host, repeated);
  return Replay(options, path, implementation, host, repeated).Run();
}

}  // namespace cancelsafe
