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
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/tools/program_input.h"

namespace cancelsafe {
namespace {

constexpr char kHelp[] = R"(usage: cancelsafe-replay [flags] FILE...

Replays programs (text or bytes, from any engine) and prints a verdict for each.

  --target NAME             for bytes without a program tag: csq, device-queue,
                            start-io or callback-data-queue
  --implementation FILE.so  run against this shared object
  --points all              every load and store is a preemption point
  --ignore RULE             leave out a rule or clause (may be repeated)
  --repeat N                run each program N times and compare the digests
  --digest                  print the digest of each run
  --quiet                   print only files that do not pass, and a summary

Exit status: 0 all passed, 1 a violation, 2 wrong usage or an unreadable file,
3 the implementation could not be loaded.
)";

constexpr int kViolation = 1;
constexpr int kUsage = 2;
constexpr int kSetup = 3;
// A single run takes microseconds; an implementation that spins outside of any
// preemption point would never come back.
constexpr unsigned kSecondsPerFile = 20;

struct Options {
  std::vector<std::string> files;
  std::optional<Family> family;
  std::string implementation;
  RunnerOptions runner;
  int repeat = 1;
  bool digest = false;
  bool quiet = false;
};

[[noreturn]] void Fail(int code, const std::string& message) {
  fprintf(stderr, "cancelsafe-replay: %s\n", message.c_str());
  exit(code);
}

Options ReadOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag.rfind("--", 0) != 0) {
      options.files.push_back(flag);
      continue;
    }
    if (flag == "--help") {
      fputs(kHelp, stdout);
      exit(0);
    }
    if (flag == "--digest") {
      options.digest = true;
    } else if (flag == "--quiet") {
      options.quiet = true;
    } else {
      if (i + 1 == argc)
        Fail(kUsage, absl::StrCat(flag, " needs a value, or is unknown; see --help"));
      const std::string value = argv[++i];
      if (flag == "--target") {
        options.family = FamilyOfTarget(value);
        if (!options.family) {
          Fail(kUsage, absl::StrCat("unknown target '", value, "'; known: ", TargetNames()));
        }
      } else if (flag == "--implementation") {
        options.implementation = value;
      } else if (flag == "--points" && (value == "all" || value == "locks")) {
        options.runner.tier2 = value == "all";
      } else if (flag == "--ignore") {
        if (!options.runner.ignore.Add(value)) {
          Fail(kUsage, absl::StrCat("--ignore: '", value, "' is no rule and no clause id"));
        }
      } else if (flag == "--repeat") {
        if (!absl::SimpleAtoi(value, &options.repeat) || options.repeat < 1) {
          Fail(kUsage, absl::StrCat("--repeat: '", value, "' is no positive number"));
        }
      } else {
        Fail(kUsage, absl::StrCat("unknown flag ", flag, " ", value, "; see --help"));
      }
    }
  }
  if (options.files.empty()) Fail(kUsage, "no file named; see --help");
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
  if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) < 0) _exit(kViolation);
  _exit(kViolation);
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
int Replay(const Options& options, const Implementation& implementation, const std::string& path) {
  current_file = path.c_str();
  const absl::StatusOr<ProgramFile> file = OpenProgramFile(path, options.family);
  if (!file.ok()) {
    fprintf(stderr, "cancelsafe-replay: %s\n", std::string(file.status().message()).c_str());
    return kUsage;
  }
  current_program = file->program;
  const char* missing = nullptr;
  Runner runner(current_program.setup.family, implementation, options.runner, &missing);
  if (missing != nullptr) {
    fprintf(stderr, "cancelsafe-replay: the implementation does not provide %s, which %s needs\n",
            missing, path.c_str());
    return kSetup;
  }
  current_runner = &runner;
  alarm(kSecondsPerFile);
  const bool passed = runner.Run(current_program);
  const Verdict verdict = runner.output().verdict;
  const uint64_t digest = runner.Digest();
  bool same = true;
  for (int i = 1; i < options.repeat && same; ++i) {
    runner.Run(current_program);
    same = runner.Digest() == digest;
  }
  alarm(0);
  if (!same) {
    printf("%s: VERDICT diverged (replay): a repetition gave another digest\n", path.c_str());
    return kViolation;
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
  return passed ? 0 : kViolation;
}

int Main(int argc, char** argv) {
  const Options options = ReadOptions(argc, argv);
  Implementation implementation = BuiltInImplementation();
  std::string error;
  if (!options.implementation.empty() &&
      !LoadImplementation(options.implementation, &implementation, &error)) {
    Fail(kSetup, error);
  }
  SetFaultHook(&OnSanitizerReport);
  CatchCrashes();
  // A single file stays in this process, so that a debugger sees it.
  if (options.files.size() == 1) return Replay(options, implementation, options.files[0]);

  int worst = 0, failed = 0;
  for (const std::string& path : options.files) {
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) Fail(kSetup, absl::StrCat("cannot fork: ", strerror(errno)));
    if (child == 0) _exit(Replay(options, implementation, path));
    int status = 0;
    waitpid(child, &status, 0);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : kViolation;
    if (code > kSetup) code = kViolation;  // the sanitizers have codes of their own
    if (WIFSIGNALED(status)) {
      printf("%s: VERDICT crash (signal): signal %d\n", path.c_str(), WTERMSIG(status));
    }
    if (code != 0) ++failed;
    worst = std::max(worst, code);
  }
  printf("%zu replayed, %d not passed\n", options.files.size(), failed);
  return worst;
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
