// See driver_target_flags.h.
#include "fuzzers/drivers/targets/driver_target_flags.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/memory_run.h"

namespace cancelsafe::drivers {
namespace {

constexpr char kHelp[] =
    R"(Flags of the target, beside the engine's own (which begin with one dash; -help=1 lists them);
"--flag VALUE" is the same as "--flag=VALUE":
  --driver=FILE.sys         the driver; without the flag, that of the environment's
                            CANCELSAFE_DRIVER
  --implementation=FILE.so  the queue routines that it calls (the built-in ones)
  --memory=MODEL            sc, tso or rc11: what a load may return (rc11). Only in the
                            build with the memory engine
  --ignore=RULE             leave out a rule or clause (may be repeated)
  --artifacts=DIR           save findings as readable text here (default: .)
  --profile=FILE            which requests make sense (NAME.profile beside NAME.sys)
  --learnt=FILE             keep here what comparisons in the driver look for
  --schedules=N             end after the input with which N schedules have been run
  --stats=FILE              keep counters for a campaign here
  --brief                   end after a finding without the engine's report on it
  --confirm=FILE            run this saved program once, print the verdict as JSON, and
                            end (what a target starts itself with)
)";

using Value = absl::string_view;

void ReadMemory(Value value, DriverTargetFlags* flags) {
  const std::string wrong = ReadMemoryModel(value, &flags->memory);
  if (!wrong.empty()) FailTarget(kTargetUsageError, wrong);
}

void ReadSchedules(Value value, DriverTargetFlags* flags) {
  if (!absl::SimpleAtoi(value, &flags->schedules_max) || flags->schedules_max < 1) {
    FailTarget(kTargetUsageError,
               absl::StrCat("--schedules: '", value, "' is not a number from 1"));
  }
}

[[noreturn]] void PrintHelpAndExit(Value, DriverTargetFlags*) {
  if (fputs(kHelp, stdout) < 0 || fflush(stdout) != 0) {
    FailTarget(kTargetSetupError, "--help: cannot write to the output");
  }
  exit(0);
}

template <std::string DriverTargetFlags::* member>
void ReadText(Value value, DriverTargetFlags* flags) {
  flags->*member = std::string(value);
}

constexpr TargetFlag<DriverTargetFlags> kFlags[] = {
    {"--help", false, false, &PrintHelpAndExit},
    {"--driver", true, false, &ReadText<&DriverTargetFlags::driver>},
    {"--implementation", true, true, &ReadText<&DriverTargetFlags::implementation>},
    {"--memory", true, true, &ReadMemory},
    {"--ignore", true, true,
     [](Value value, DriverTargetFlags* flags) { flags->ignored.emplace_back(value); }},
    {"--artifacts", true, false, &ReadText<&DriverTargetFlags::artifacts>},
    {"--profile", true, true, &ReadText<&DriverTargetFlags::profile>},
    {"--learnt", true, false, &ReadText<&DriverTargetFlags::learnt>},
    {"--schedules", true, false, &ReadSchedules},
    {"--stats", true, false, &ReadText<&DriverTargetFlags::stats>},
    {"--brief", false, false, [](Value, DriverTargetFlags* flags) { flags->brief = true; }},
    {"--confirm", true, false, &ReadText<&DriverTargetFlags::confirm>},
};

}  // namespace

DriverTargetFlags TakeDriverTargetFlags(int* argc, char** argv) {
  DriverTargetFlags flags;
  if (memory::kHooked) flags.memory = schedule::MemoryModel::kRc11;
  TakeFlags(kFlags, kHelp, argc, argv, &flags);
  const char* const named = getenv("CANCELSAFE_DRIVER");
  if (flags.driver.empty() && named != nullptr) flags.driver = named;
  if (flags.driver.empty()) {
    FailTarget(kTargetUsageError, "--driver=FILE.sys is missing: the driver to be fuzzed");
  }
  return flags;
}

}  // namespace cancelsafe::drivers
