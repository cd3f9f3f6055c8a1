// cancelsafe-explore: searches the schedules of one program: all of them up to a
// number of preemptions, or many of one scheduler.
#include "fuzzers/schedule/explore.h"

#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/schedule/portfolio.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/tool_flags.h"

namespace cancelsafe {
namespace {

constexpr char kHelp[] = R"(usage: cancelsafe-explore [flags] FILE

Searches the schedules of one program (text or bytes) for a violation. Without
--scheduler every schedule with up to K preemptions is run, fewest first.

)";
constexpr char kOwnFlagsHelp[] =
    R"(  --preemptions K           all schedules with at most K preemptions (default 2)
  --scheduler NAME          random search instead: %s
  --schedules N             give up after N schedules (default: no limit, or
                            100000 with --scheduler)
  --save DIR                where a failure is saved (default: .)

Exit status: 0 no violation in what was explored, 1 a violation (saved, with the
command that replays it), 2 wrong usage or an unreadable file, 3 set-up failed.
)";

struct Options {
  int preemptions = 2;
  schedule::Kind kind = schedule::Kind::kChoices;
  int64_t schedules = 0;
  std::string directory = ".";
};

Options ReadOptions(ToolFlags* flags) {
  Options options;
  std::string flag;
  while (flags->Next(&flag)) {
    if (flag == "--help") {
      printf("%s%s", kHelp, kSharedFlagsHelp);
      printf(kOwnFlagsHelp, schedule::SchedulerNames().c_str());
      exit(0);
    } else if (flag == "--preemptions") {
      options.preemptions = static_cast<int>(flags->Number(flag, 0));
    } else if (flag == "--schedules") {
      options.schedules = flags->Number(flag, 1);
    } else if (flag == "--save") {
      options.directory = flags->Value(flag);
    } else if (flag == "--scheduler") {
      const std::string name = flags->Value(flag);
      if (!schedule::KindOf(name, &options.kind) || options.kind == schedule::Kind::kChoices) {
        flags->Fail(kExitUsage, absl::StrCat("unknown scheduler '", name,
                                             "'; known: ", schedule::SchedulerNames()));
      }
    } else {
      flags->FailUnknown(flag);
    }
  }
  if (flags->files().size() != 1) flags->Fail(kExitUsage, "name one file; see --help");
  return options;
}

// For an implementation that spins outside of any preemption point.
constexpr unsigned kSecondsPerThousand = 20;

// One refreshing line on a terminal, nothing elsewhere. The clock decides nothing
// but when to print.
class Progress {
 public:
  void Show(int64_t runs) {
    if ((runs & 1023) == 0) alarm(kSecondsPerThousand);
    if (!terminal_ || (runs & 1023) != 0) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    fprintf(stderr, "\r%" PRId64 " schedules explored", runs);
  }
  ~Progress() {
    alarm(0);
    if (terminal_) fprintf(stderr, "\r%40s\r", "");
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

class Search {
 public:
  Search(const ToolFlags& flags, const Options& options, const Program& program, Runner* runner)
      : flags_(flags), options_(options), program_(program), runner_(runner) {
    program_.schedule = schedule::Schedule();
    run_options_.record_choices = true;
    run_options_.fresh_records = true;
    active_ = this;
    alarm(kSecondsPerThousand);
    CatchCrashes([](const Verdict& verdict) { active_->Report(verdict); });
  }

  int AllUpToBound();
  int Random();

 private:
  int Report(const Verdict& verdict);

  // For the last moments of a process that its implementation takes down.
  static inline Search* active_ = nullptr;
  const ToolFlags& flags_;
  const Options& options_;
  Program program_;
  Runner* const runner_;
  schedule::RunOptions run_options_;
  Progress progress_;
  std::string how_;  // where in the search it is
};

int Search::Report(const Verdict& verdict) {
  const RunOutput& output = runner_->output();
  Program found = program_;
  found.schedule = output.schedule.executed;
  printf("%s\n", FailureReport(found, runner_->history(), verdict).c_str());
  const std::string path = absl::StrCat(options_.directory, "/", FailureFileName(found, verdict));
  const std::string command = absl::StrCat("./cancelsafe replay", flags_.repeat_flags(), " ", path);
  const absl::Status status =
      WriteFileAtomically(path, FailureFile(found, verdict,
                                            {absl::StrCat("found: by cancelsafe-explore, ", how_),
                                             absl::StrCat("replay: ", command)}));
  if (!status.ok()) flags_.Fail(kExitSetup, std::string(status.message()));
  printf("saved:  %s\nreplay: %s\n", path.c_str(), command.c_str());
  return kExitViolation;
}

int Search::AllUpToBound() {
  int64_t total = 0;
  for (int bound = 0; bound <= options_.preemptions; ++bound) {
    schedule::ExploreOptions explore;
    explore.preemptions = bound;
    // The order in which calls begin and end is shared state that no point
    // announces, so nothing may be left out.
    explore.reduce = false;
    if (options_.schedules > 0) explore.max_runs = options_.schedules;
    schedule::Explorer explorer(explore);
    while (explorer.Next()) {
      how_ = absl::StrCat("at most ", bound, bound == 1 ? " preemption" : " preemptions",
                          ", in schedule ", explorer.runs() + 1, " of that bound");
      const bool passed = runner_->RunWith(&explorer, program_, run_options_);
      explorer.Finished(runner_->output().schedule);
      progress_.Show(explorer.runs());
      if (!passed) {
        printf("found with %s\n\n", how_.c_str());
        return Report(runner_->output().verdict);
      }
    }
    total = explorer.runs();
    if (explorer.end() == schedule::ExploreEnd::kOutOfRuns) {
      printf("%" PRId64
             " schedules with up to %d preemptions explored, no violation; there are "
             "more (--schedules was reached)\n",
             total, bound);
      return 0;
    }
    if (explorer.end() != schedule::ExploreEnd::kComplete) {
      flags_.Fail(kExitSetup,
                  "the program did not repeat itself or its runs are too long: "
                  "exploration makes no sense");
    }
  }
  printf("all %" PRId64 " schedules up to %d preemptions explored, no violation\n", total,
         options_.preemptions);
  return 0;
}

int Search::Random() {
  const int64_t schedules = options_.schedules > 0 ? options_.schedules : 100000;
  const std::string name(schedule::NameOf(options_.kind));
  program_.schedule.kind = options_.kind;
  for (int64_t i = 0; i < schedules; ++i) {
    program_.schedule.seed = static_cast<uint32_t>(i);
    program_.schedule.parameter = static_cast<uint8_t>(i * 37);
    how_ = absl::StrCat("schedule ", i + 1, " of ", name);
    const bool passed = runner_->Run(program_, run_options_);
    progress_.Show(i);
    if (!passed) {
      printf("found with %s\n\n", how_.c_str());
      return Report(runner_->output().verdict);
    }
  }
  printf("%" PRId64 " schedules of %s explored, no violation\n", schedules, name.c_str());
  return 0;
}

int Main(int argc, char** argv) {
  ToolFlags flags("cancelsafe-explore", argc, argv);
  const Options options = ReadOptions(&flags);
  const Implementation implementation = flags.Load();
  const absl::StatusOr<ProgramFile> file = OpenProgramFile(flags.files()[0], flags.family());
  if (!file.ok()) flags.Fail(kExitUsage, std::string(file.status().message()));
  const char* missing = nullptr;
  Runner runner(file->program.setup.family, implementation, flags.runner(), &missing);
  flags.CheckProvided(missing);
  Search search(flags, options, file->program, &runner);
  return options.kind == schedule::Kind::kChoices ? search.AllUpToBound() : search.Random();
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
