// See options.h.
#include "fuzzers/mutants/options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

constexpr int kSeedsMax = 1000;
constexpr int kSecondsMax = 24 * 60 * 60;
constexpr int kJobsMax = 256;
// The subset is to be through in five minutes on two cores.
constexpr AttackPlan kCiPlan = {1, 20, 20000, 5, 0};
constexpr int kCiJobs = 2;

absl::Status Usage(const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat(message, "; see --help"));
}

absl::Status ReadNumber(const std::string& flag, const std::string& value, int max, int* number) {
  if (absl::SimpleAtoi(value, number) && *number >= 1 && *number <= max) return absl::OkStatus();
  return Usage(absl::StrCat(flag, ": '", value, "' is no whole number from 1 to ", max));
}

absl::Status ReadValue(const std::string& flag, const std::string& value, MutantsOptions* options) {
  if (flag == "--seeds") return ReadNumber(flag, value, kSeedsMax, &options->plan.seeds);
  if (flag == "--seconds") return ReadNumber(flag, value, kSecondsMax, &options->plan.seconds);
  if (flag == "--jobs") return ReadNumber(flag, value, kJobsMax, &options->jobs);
  if (flag == "--subset") {
    return value == "ci" ? absl::OkStatus()
                         : Usage(absl::StrCat("--subset: '", value, "' is not 'ci'"));
  }
  if (value.empty()) return Usage(absl::StrCat(flag, " needs a value"));
  if (flag == "--json") {
    options->json = value;
  } else if (flag == "--markdown") {
    options->markdown = value;
  } else if (flag == "--build") {
    options->build = value;
  } else if (flag == "--patches") {
    options->patches = value;
  } else if (flag == "--work") {
    options->work = value;
  }
  return absl::OkStatus();
}

bool TakesValue(const std::string& flag) {
  for (const char* known : {"--json", "--markdown", "--seeds", "--seconds", "--jobs", "--subset",
                            "--build", "--patches", "--work"}) {
    if (flag == known) return true;
  }
  return false;
}

}  // namespace

const char kMutantsHelp[] = R"(usage: cancelsafe-mutants [flags] [ID...]

Measures the harness by what it catches: builds each mutant of the optimized
implementation (all, or those named), attacks it from nothing with the fuzz
targets, with one fiber first and then with up to four, and prints what caught it.
Then does the same to the implementation as it is, which must come out clean.

  --seeds N        attacks per mutant, with seeds 1 to N (5)
  --seconds N      time of one attack (60)
  --subset ci      the first mutant of every bug class, one seed, 20 seconds, two at a
                   time; flags that follow change that
  --jobs N         mutants attacked at the same time (1)
  --json FILE      write the results as a list of objects
  --markdown FILE  write the table as it is in the documentation
  --list           print the mutants and end
  --build DIR      has the targets, in DIR/tsan and DIR/asan (build)
  --patches DIR    has the mutants (fuzzers/mutants/patches)
  --work DIR       for shared objects, logs and saved failures (build/mutants)

A mutant is caught if most seeds end with a verdict of a kind that its patch
names; any other verdict is a wrong one, and no catch.

Exit status: 0 all caught and the implementation clean, 1 not, 2 wrong usage,
3 the set-up failed.
)";

absl::StatusOr<MutantsOptions> ParseMutantsOptions(const std::vector<std::string>& arguments) {
  MutantsOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    absl::Status status;
    if (argument.empty() || argument[0] != '-') {
      options.ids.push_back(argument);
    } else if (argument == "--help") {
      options.help = true;
    } else if (argument == "--list") {
      options.list = true;
    } else {
      const size_t equals = argument.find('=');
      const std::string flag = argument.substr(0, equals);
      std::string value;
      if (!TakesValue(flag)) {
        status = Usage(absl::StrCat("unknown flag ", flag));
      } else if (equals != std::string::npos) {
        value = argument.substr(equals + 1);
        status = ReadValue(flag, value, &options);
      } else if (i + 1 < arguments.size()) {
        value = arguments[++i];
        status = ReadValue(flag, value, &options);
      } else {
        status = Usage(absl::StrCat(flag, " needs a value"));
      }
      if (status.ok() && flag == "--subset") {
        options.ci_subset = true;
        options.plan = kCiPlan;
        options.jobs = kCiJobs;
      }
    }
    if (!status.ok()) return status;
  }
  return options;
}

}  // namespace cancelsafe
