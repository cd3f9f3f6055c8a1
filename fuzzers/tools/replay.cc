// cancelsafe-replay: runs saved programs again, without a fuzz engine, and says
// what is wrong with each, if anything.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/tool_flags.h"

namespace cancelsafe {
namespace {

constexpr char kHelp[] = R"(usage: cancelsafe-replay [flags] FILE...

Replays programs (text or bytes, from any engine) and prints a verdict for each.

)";
constexpr char kOwnFlagsHelp[] =
    R"(  --repeat N                run each program N times and compare the digests
  --digest                  print the digest of each run
  --quiet                   print only files that do not pass, and a summary

Exit status: 0 all passed, 1 a violation, 2 wrong usage or an unreadable file,
3 the implementation could not be loaded.
)";

// A single run takes microseconds; an implementation that spins outside of any
// preemption point would never come back.
constexpr unsigned kSecondsPerFile = 20;

struct Options {
  long repeat = 1;
  bool digest = false;
  bool quiet = false;
};

Options ReadOptions(ToolFlags* flags) {
  Options options;
  std::string flag;
  while (flags->Next(&flag)) {
    if (flag == "--help") {
      printf("%s%s%s", kHelp, kSharedFlagsHelp, kOwnFlagsHelp);
      exit(0);
    } else if (flag == "--digest") {
      options.digest = true;
    } else if (flag == "--quiet") {
      options.quiet = true;
    } else if (flag == "--repeat") {
      options.repeat = flags->Number(flag, 1);
    } else {
      flags->FailUnknown(flag);
    }
  }
  if (flags->files().empty()) flags->Fail(kExitUsage, "no file named; see --help");
  return options;
}

const char* current_file = "";

void OnSignal(int number) {
  // Only what a signal handler may do.
  char line[512];
  const char* what = number == SIGALRM ? "livelock (time-out): no preemption point was reached"
                                       : "crash (signal): the implementation crashed";
  const int length =
      snprintf(line, sizeof line, "%s: VERDICT %s, signal %d\n", current_file, what, number);
  if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) < 0) _exit(kExitViolation);
  _exit(kExitViolation);
}

void CatchCrashes() {
  static char stack[64 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  action.sa_flags = SA_ONSTACK;
  for (const int number : {SIGALRM
#ifndef CANCELSAFE_SANITIZER_ADDRESS  // ASan says more
                           ,
                           SIGSEGV, SIGBUS, SIGILL, SIGFPE
#endif
       }) {
    sigaction(number, &action, nullptr);
  }
}

Program current_program;
const Runner* current_runner = nullptr;

void OnSanitizerReport(VerdictKind kind, const char* description) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.rule = description;
  verdict.reason = "found by the sanitizer; its report follows";
  printf("%s: %s\n", current_file,
         FailureReport(current_program, current_runner->history(), verdict).c_str());
  fflush(stdout);
}

// One file. Returns the exit status it deserves.
int Replay(const ToolFlags& flags, const Options& options, const Implementation& implementation,
           const std::string& path) {
  current_file = path.c_str();
  const absl::StatusOr<ProgramFile> file = OpenProgramFile(path, flags.family());
  if (!file.ok()) flags.Fail(kExitUsage, std::string(file.status().message()));
  current_program = file->program;
  const char* missing = nullptr;
  Runner runner(current_program.setup.family, implementation, flags.runner(), &missing);
  flags.CheckProvided(missing);
  schedule::RunOptions run_options;
  run_options.fresh_records = true;
  current_runner = &runner;
  alarm(kSecondsPerFile);
  const bool passed = runner.Run(current_program, run_options);
  const Verdict verdict = runner.output().verdict;
  const uint64_t digest = runner.Digest();
  bool same = true;
  for (long i = 1; i < options.repeat && same; ++i) {
    runner.Run(current_program, run_options);
    same = runner.Digest() == digest;
  }
  alarm(0);
  if (!same) {
    printf("%s: VERDICT diverged (replay): a repetition gave another digest\n", path.c_str());
    return kExitViolation;
  }
  if (!options.quiet || !passed) {
    printf("%s: %s\n", path.c_str(), VerdictLine(verdict).c_str());
    if (!options.quiet) {
      const std::string report = FailureReport(current_program, runner.history(), verdict);
      // The first line of the report is the verdict, which stands above already.
      printf("%s", report.c_str() + report.find('\n') + 1);
    }
  }
  if (options.digest) printf("%s: digest %016" PRIx64 "\n", path.c_str(), digest);
  fflush(stdout);
  return passed ? 0 : kExitViolation;
}

int Main(int argc, char** argv) {
  ToolFlags flags("cancelsafe-replay", argc, argv);
  const Options options = ReadOptions(&flags);
  const Implementation implementation = flags.Load();
  SetFaultHook(&OnSanitizerReport);
  CatchCrashes();
  // A single file stays in this process, so that a debugger sees it.
  if (flags.files().size() == 1) return Replay(flags, options, implementation, flags.files()[0]);

  int worst = 0, failed = 0;
  for (const std::string& path : flags.files()) {
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) flags.Fail(kExitSetup, absl::StrCat("cannot fork: ", strerror(errno)));
    if (child == 0) _exit(Replay(flags, options, implementation, path));
    int status = 0;
    waitpid(child, &status, 0);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : kExitViolation;
    if (code > kExitSetup) code = kExitViolation;  // the sanitizers have codes of their own
    if (WIFSIGNALED(status)) {
      printf("%s: VERDICT crash (signal): signal %d\n", path.c_str(), WTERMSIG(status));
    }
    if (code != 0) ++failed;
    worst = std::max(worst, code);
  }
  printf("%zu replayed, %d not passed\n", flags.files().size(), failed);
  return worst;
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
