// See target_flags.h.
#include "fuzzers/targets/target_flags.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fuzzers/program/dictionary.h"

namespace cancelsafe {
namespace {

constexpr char kHelp[] =
    R"(Flags of the target, beside the engine's own (which begin with one dash; -help=1 lists them);
"--flag VALUE" is the same as "--flag=VALUE":
  --implementation=FILE     attack this shared object (.so) or PE image (.dll) instead of the
                            built-in code
  --points=all              every load and store is a preemption point, where the
                            implementation was compiled for it
  --memory=MODEL            sc, tso or rc11: what a load may return (rc11). Only in the
                            build with the memory engine
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore=RULE             leave out a rule or clause (may be repeated)
  --artifacts=DIR           save failures as readable text here (default: .)
  --fibers=N                give programs at most N fibers (4)
  --schedules=N             end after the input with which N schedules have been run
  --stats=FILE              keep counters for a campaign here
  --brief                   end after a finding without the engine's report on it, which
                            has a stack and the bytes of the input
  --front-door=PROGRAM      what a printed command begins with (./cancelsafe)
  --confirm=FILE            run this saved program once, print the verdict as JSON, and
                            end (what a target starts itself with)
  --print-dictionary=NAME   print the words that programs are made of, for engines without
                            our mutator: text, or a family's name for its bytes; and end
  --benchmark               measure runs per second on fixed programs, say what the
                            time goes into, and end
)";

using Value = absl::string_view;

void ReadIgnore(Value value, TargetFlags* flags) {
  if (!flags->options.ignore.Add(std::string(value))) {
    FailTarget(kTargetUsageError,
               absl::StrCat("--ignore: '", value,
                            "' is not the name of a rule, of a kind of verdict or of a clause "
                            "(see conformance/README.md)"));
  }
  absl::StrAppend(&flags->replay_flags, " --ignore ", value);
}

void ReadPoints(Value value, TargetFlags* flags) {
  if (value != "all") {
    FailTarget(kTargetUsageError,
               absl::StrCat("--points: '", value,
                            "' is not 'all'; without the flag, calls and locks are the points"));
  }
  flags->options.access_points = true;
  absl::StrAppend(&flags->replay_flags, " --points all");
}

void ReadMemory(Value value, TargetFlags* flags) {
  const std::string wrong = ReadMemoryModel(value, &flags->options.memory);
  if (!wrong.empty()) FailTarget(kTargetUsageError, wrong);
}

void ReadFibers(Value value, TargetFlags* flags) {
  if (!absl::SimpleAtoi(value, &flags->fibers_max) || flags->fibers_max < 1 ||
      flags->fibers_max > kMaxFibers) {
    FailTarget(kTargetUsageError,
               absl::StrCat("--fibers: '", value, "' is not a number from 1 to ", kMaxFibers));
  }
}

void ReadSchedules(Value value, TargetFlags* flags) {
  if (!absl::SimpleAtoi(value, &flags->schedules_max) || flags->schedules_max < 1) {
    FailTarget(kTargetUsageError,
               absl::StrCat("--schedules: '", value, "' is not a number from 1"));
  }
}

[[noreturn]] void PrintDictionaryAndExit(Value name, TargetFlags*) {
  for (const char* known : DictionaryNames()) {
    if (name != known) continue;
    const bool whole = fputs(PrintDictionary(name).c_str(), stdout) >= 0 && fflush(stdout) == 0;
    if (!whole) FailTarget(kTargetSetupError, "--print-dictionary: cannot write to the output");
    exit(0);
  }
  FailTarget(kTargetUsageError,
             absl::StrCat("--print-dictionary: there is no '", name, "'; there are ",
                          absl::StrJoin(DictionaryNames(), ", ")));
}

[[noreturn]] void PrintHelpAndExit(Value, TargetFlags*) {
  if (fputs(kHelp, stdout) < 0 || fflush(stdout) != 0) {
    FailTarget(kTargetSetupError, "--help: cannot write to the output");
  }
  exit(0);
}

constexpr TargetFlag<TargetFlags> kFlags[] = {
    {"--help", false, false, &PrintHelpAndExit},
    {"--implementation", true, true,
     [](Value value, TargetFlags* flags) { flags->implementation = std::string(value); }},
    {"--points", true, true, &ReadPoints},
    {"--memory", true, true, &ReadMemory},
    {"--strict", false, true,
     [](Value, TargetFlags* flags) {
       flags->strict = true;
       absl::StrAppend(&flags->replay_flags, " --strict");
     }},
    {"--ignore", true, true, &ReadIgnore},
    {"--artifacts", true, false,
     [](Value value, TargetFlags* flags) { flags->artifacts = std::string(value); }},
    {"--fibers", true, false, &ReadFibers},
    {"--schedules", true, false, &ReadSchedules},
    {"--stats", true, false,
     [](Value value, TargetFlags* flags) { flags->stats = std::string(value); }},
    {"--brief", false, false, [](Value, TargetFlags* flags) { flags->brief = true; }},
    {"--front-door", true, false,
     [](Value value, TargetFlags* flags) { flags->front_door = std::string(value); }},
    {"--confirm", true, false,
     [](Value value, TargetFlags* flags) { flags->confirm = std::string(value); }},
    {"--print-dictionary", true, false, &PrintDictionaryAndExit},
    {"--benchmark", false, false, [](Value, TargetFlags* flags) { flags->benchmark = true; }},
};

}  // namespace

TargetFlags TakeTargetFlags(int* argc, char** argv) {
  TargetFlags flags;
  TakeFlags(kFlags, kHelp, argc, argv, &flags);
  return flags;
}

void FailTarget(int status, const std::string& message) {
  fprintf(stderr, "cancelsafe: %s\n", message.c_str());
  exit(status);
}

}  // namespace cancelsafe
