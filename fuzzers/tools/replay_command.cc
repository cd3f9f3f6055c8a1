// cancelsafe replay: saved programs once more, each in a process of its own, so that one
// that crashes or hangs costs no other.
#include <algorithm>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/signals.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/driver_replay.h"
#include "fuzzers/tools/hosted_tool.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/repeated_end.h"
#include "fuzzers/tools/replay_file.h"
#include "fuzzers/tools/stop_at.h"
#include "fuzzers/tools/target_flag.h"

namespace cancelsafe {
namespace {

// A guest that blocks the alarm, or that stops itself, is killed from outside, when its
// own process has had the time to tell more.
constexpr int kGraceSeconds = 3;

struct Options {
  ReplayOptions replay;
  std::string sanitizer;
};

// The build in which a file shows what it was saved for. A data race shows where the
// compiler tells of accesses, stale values where there is a memory engine.
std::string SanitizerFor(const std::string& path) {
  std::error_code error;
  // A pipe can be read only once.
  if (!std::filesystem::is_regular_file(path, error)) return "";
  const absl::StatusOr<std::string> contents = ReadBoundedFile(path);
  if (!contents.ok()) return "";
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(*contents);
  if (file.ok() && file->program.schedule.memory != schedule::MemoryModel::kUnnamed) return "model";
  const bool race = absl::StrContains(absl::StrCat("\n", *contents), "\n# VERDICT data-race");
  return race ? "thread" : "";
}

// For all of the files: the engine sees races as well. A fault in a service that a driver has
// called would end a process under a sanitizer.
std::string SanitizerFor(const ReplayOptions& replay) {
  if (std::all_of(replay.files.begin(), replay.files.end(), &IsDriverProgramFile)) return "none";
  bool race = false;
  bool model = !replay.guest.memory.empty();
  for (const std::string& path : replay.files) {
    const std::string sanitizer = SanitizerFor(path);
    race |= sanitizer == "thread";
    model |= sanitizer == "model";
  }
  return model ? "model" : race ? "thread" : "address";
}

class Replays {
 public:
  Replays(const ReplayOptions& options, const Implementation& implementation)
      : options_(options), implementation_(implementation) {}

  int Run() {
    for (const std::string& path : options_.files) {
      const int status = ReplayInChild(path);
      ++replayed_;
      unreadable_ += status == kExitUsage ? 1 : 0;
      failed_ += status != kExitOk && status != kExitUsage ? 1 : 0;
      worst_ = std::max(worst_, status);
      if (hung_ || interrupted_) break;
    }
    Summarize();
    return interrupted_ ? kExitInterrupted : worst_;
  }

 private:
  // Its output goes to `output`, or, if that is null, where that of this process goes.
  HostedEnd Hosted(const std::string& path, const RepetitionsMade* repeated,
                   CapturedOutput* output) {
    const double limit = options_.file_seconds + kGraceSeconds;
    return RunHosted("replay", limit, stop_, [&](GuestHost* host) {
      DistinguishTimeOuts();
      if (output != nullptr) output->TakeOver();
      return ReplayFile(options_, implementation_, path, host, repeated);
    });
  }

  int ReplayInChild(const std::string& path) {
    const RepetitionsMade repeated;
    const HostedEnd end = Hosted(path, &repeated, nullptr);
    interrupted_ = end.kind == HostedEnd::Kind::kStopped;
    if (interrupted_) return kExitInterrupted;
    const Verdict verdict = VerdictOn(end);
    if (!verdict.ok()) printf("%s: %s\n", path.c_str(), VerdictLine(verdict).c_str());
    hung_ = end.kind == HostedEnd::Kind::kHung ||
            (end.kind == HostedEnd::Kind::kTold && end.code == kExitTimeOut);
    if (options_.repeat > 1 && !repeated.WasSaid() && ExitStatusFor(end) == kExitViolation) {
      RepeatInProcesses(path, end);
    }
    return ExitStatusFor(end);
  }

  // For a run that has ended its process like this.
  void RepeatInProcesses(const std::string& path, const HostedEnd& first_end) {
    std::string second;
    for (int i = 2; i <= options_.repeat; ++i) {
      CapturedOutput output;
      const HostedEnd end = Hosted(path, nullptr, &output);
      interrupted_ = end.kind == HostedEnd::Kind::kStopped;
      if (interrupted_) return;
      const std::string text = output.Text();
      if (i == 2) second = text;
      if (SameEnd(first_end, end) && text == second) continue;
      Verdict verdict = MakeVerdict(Rule::kDiverged, Family::kCsq, "replay");
      verdict.reason = absl::StrCat(
          "repetition ", i, " ended otherwise: ",
          SameEnd(first_end, end) ? FirstOtherLine(second, text) : VerdictLine(VerdictOn(end)));
      printf("%s: %s\n", path.c_str(), VerdictLine(verdict).c_str());
      return;
    }
    if (options_.quiet) return;
    printf("\nrepeat: %d runs, each in a process of its own, which it ended in the same way\n",
           options_.repeat);
  }

  void Summarize() const {
    const size_t all = options_.files.size();
    if (hung_ && replayed_ < all) {
      printf("The implementation hangs in this file, so the %zu after it were not replayed.\n",
             all - replayed_);
    }
    if (interrupted_) {
      printf("Interrupted: %zu of %zu files were replayed.\n", replayed_ - 1, all);
    } else if (all > 1) {
      const std::string unreadable =
          unreadable_ == 0 ? "" : absl::StrCat(", ", unreadable_, " unreadable");
      printf("%zu replayed, %d not passed%s\n", replayed_ - static_cast<size_t>(unreadable_),
             failed_, unreadable.c_str());
    }
  }

  const ReplayOptions& options_;
  const Implementation& implementation_;
  const StopSignals stop_;
  size_t replayed_ = 0;
  int failed_ = 0;
  int unreadable_ = 0;
  int worst_ = kExitOk;
  bool hung_ = false;
  bool interrupted_ = false;
};

int Run(Options* options) {
  const ReplayOptions& replay = options->replay;
  if (replay.files.empty()) throw UsageError("no file named; see 'cancelsafe replay --help'");
  if (replay.files.size() > 1 && (replay.until >= 0 || replay.writes_files())) {
    throw UsageError("--until, --minimize, --test, --html and --trace take one file at a time");
  }
  ContinueUnder(options->sanitizer, SanitizerFor(replay), replay.guest.implementation);
  // Wrong values are told once, not file by file.
  if (std::none_of(replay.files.begin(), replay.files.end(), &IsDriverProgramFile)) {
    RunnerOptionsOf(replay.guest);
  }
  const Implementation implementation = LoadGuest(replay.guest);
  CatchCrashes();
  // Under a debugger a single file stays in this process.
  if (replay.files.size() == 1 && BeingDebugged()) {
    return ReplayFile(replay, implementation, replay.files[0], nullptr, nullptr);
  }
  return Replays(replay, implementation).Run();
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  ReplayOptions& replay = options->replay;
  AddSanitizer(
      app, &options->sanitizer,
      "address; model for a file that names a model of memory, thread for one that names a data "
      "race, none for drivers");
  AddGuestFlags(app, &replay.guest);
  AddTarget(app, &replay.target);
  AddText(app, "--driver", &replay.driver, "FILE.sys",
          "of a program for a driver: the driver (the one that the file names)");
  AddNumber(app, "--repeat", &replay.repeat, 1, INT_MAX,
            "run each program this many times and compare the digests; one that ends its process "
            "is run in a new one each time");
  AddNumber(app, "--until", &replay.until, 0, INT_MAX,
            "stop before this step of the schedule; under a debugger, on the fiber that is about "
            "to go on");
  AddText(app, "--minimize", &replay.minimize, "OUT.txt",
          "write the smallest program that still fails like this, with a header for "
          "corpus/<target>/regressions");
  AddText(app, "--date", &replay.date, "DATE", "the date in that header (today)");
  AddText(app, "--test", &replay.test, "OUT.cc",
          "write a GoogleTest of the steps and their interleaving");
  AddText(app, "--html", &replay.html, "OUT.html", "write a page that shows the run");
  AddText(app, "--trace", &replay.trace, "OUT.json",
          "write the run in the Chrome trace format, for Perfetto");
  AddNumber(app, "--file-seconds", &replay.file_seconds, 1, 3600,
            "a run that has not ended after this time is a livelock (5); files after it are not "
            "replayed");
  AddSwitch(app, "--digest", &replay.digest, "print the digest of each run");
  AddSwitch(app, "--quiet", &replay.quiet, "print only files that do not pass, and a summary");
  AddArguments(app, "FILE", &replay.files);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"replay", SubcommandGroup::kUnderstand, "run saved programs again and show what happens",
     "FILE...",
     "Runs saved programs (text, or bytes of any engine) again, says what is wrong with each and "
     "how it came about.",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
