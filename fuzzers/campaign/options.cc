// See options.h.
#include "fuzzers/campaign/options.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace cancelsafe {
namespace {

constexpr int kSecondsMax = 30 * 24 * 60 * 60;
constexpr int kJobsMax = 1024;

constexpr CampaignTarget kTargets[] = {
    {"csq", Family::kCsq},
    {"device_queue", Family::kDeviceQueue},
    {"start_io", Family::kStartIo},
    {"callback_data_queue", Family::kCallbackDataQueue},
    {"canary", Family::kDeviceQueue},
};
// The canary must fail, so it takes part only when it is named.
constexpr int kDefaultTargets = 4;

constexpr CampaignSanitizer kSanitizers[] = {
    {"thread", "tsan"},
    {"address", "asan"},
    {"none", "fuzz"},
};
constexpr int kDefaultSanitizers = 2;

const auto kNameOf = [](std::string* out, const auto& row) { absl::StrAppend(out, row.name); };

absl::Status Usage(const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat(message, "; see --help"));
}

absl::Status ReadNumber(const std::string& flag, const std::string& value, int max, int* number) {
  if (absl::SimpleAtoi(value, number) && *number >= 1 && *number <= max) return absl::OkStatus();
  return Usage(absl::StrCat(flag, ": '", value, "' is no whole number from 1 to ", max));
}

template <typename Row>
void AddOnce(const Row* row, std::vector<const Row*>* rows) {
  if (std::find(rows->begin(), rows->end(), row) == rows->end()) rows->push_back(row);
}

absl::Status ReadTarget(const std::string& name, CampaignOptions* options) {
  const CampaignTarget* target = FindTarget(name);
  if (target == nullptr) {
    return Usage(absl::StrCat("unknown target '", name, "'; the targets are ",
                              absl::StrJoin(kTargets, ", ", kNameOf)));
  }
  AddOnce(target, &options->targets);
  return absl::OkStatus();
}

absl::Status ReadValue(const std::string& flag, const std::string& value,
                       CampaignOptions* options) {
  if (flag == "--seconds") return ReadNumber(flag, value, kSecondsMax, &options->seconds);
  if (flag == "--jobs") return ReadNumber(flag, value, kJobsMax, &options->jobs);
  if (flag == "--engine") {
    if (value != "libfuzzer" && value != "afl") {
      return Usage(absl::StrCat("unknown engine '", value, "'; there are libfuzzer and afl"));
    }
    options->engine = value == "afl" ? CampaignEngine::kAfl : CampaignEngine::kLibFuzzer;
    return absl::OkStatus();
  }
  if (flag == "--sanitizer") {
    const CampaignSanitizer* sanitizer = FindSanitizer(value);
    if (sanitizer == nullptr) {
      return Usage(absl::StrCat("unknown sanitizer '", value, "'; there are ",
                                absl::StrJoin(kSanitizers, ", ", kNameOf)));
    }
    AddOnce(sanitizer, &options->sanitizers);
    return absl::OkStatus();
  }
  if (flag == "--points") {
    if (value != "all") return Usage(absl::StrCat("--points: '", value, "' is not 'all'"));
    options->all_points = true;
    return absl::OkStatus();
  }
  if (value.empty()) return Usage(absl::StrCat(flag, " needs a value"));
  if (flag == "--ignore") {
    options->ignore.push_back(value);
    return absl::OkStatus();
  }
  for (const auto& [name, member] :
       {std::pair("--implementation", &options->implementation),
        std::pair("--build", &options->build), std::pair("--corpus", &options->corpus),
        std::pair("--work", &options->work), std::pair("--findings", &options->findings)}) {
    if (flag != name) continue;
    *member = value;
    return absl::OkStatus();
  }
  return Usage(absl::StrCat("unknown flag ", flag));
}

bool TakesValue(const std::string& flag) {
  for (const char* known :
       {"--engine", "--seconds", "--jobs", "--sanitizer", "--points", "--ignore",
        "--implementation", "--build", "--corpus", "--work", "--findings"}) {
    if (flag == known) return true;
  }
  return false;
}

}  // namespace

const CampaignTarget* FindTarget(const std::string& name) {
  const absl::string_view stem = absl::StripSuffix(name, "_fuzzer");
  for (const CampaignTarget& target : kTargets) {
    if (stem == target.name) return &target;
  }
  return nullptr;
}

const CampaignSanitizer* FindSanitizer(const std::string& name) {
  for (const CampaignSanitizer& sanitizer : kSanitizers) {
    if (name == sanitizer.name) return &sanitizer;
  }
  return nullptr;
}

absl::StatusOr<CampaignOptions> ParseCampaignOptions(const std::vector<std::string>& arguments) {
  CampaignOptions options;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  options.jobs = static_cast<int>(std::clamp<long>(processors, 1, kJobsMax));
  bool findings_named = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    absl::Status status;
    if (argument.empty() || argument[0] != '-') {
      status = ReadTarget(argument, &options);
    } else if (argument == "--help") {
      options.help = true;
    } else if (argument == "--strict") {
      options.strict = true;
    } else {
      const size_t equals = argument.find('=');
      const std::string flag = argument.substr(0, equals);
      if (!TakesValue(flag)) {
        status = Usage(absl::StrCat("unknown flag ", flag));
      } else if (equals != std::string::npos) {
        status = ReadValue(flag, argument.substr(equals + 1), &options);
      } else if (i + 1 < arguments.size()) {
        status = ReadValue(flag, arguments[++i], &options);
      } else {
        status = Usage(absl::StrCat(flag, " needs a value"));
      }
      if (flag == "--findings") findings_named = true;
    }
    if (!status.ok()) return status;
  }
  if (!findings_named) options.findings = options.work + "/findings";
  if (options.targets.empty()) {
    for (int i = 0; i < kDefaultTargets; ++i) options.targets.push_back(&kTargets[i]);
  }
  if (options.sanitizers.empty()) {
    for (int i = 0; i < kDefaultSanitizers; ++i) options.sanitizers.push_back(&kSanitizers[i]);
  }
  return options;
}

std::string ReplayFlags(const CampaignOptions& options) {
  std::string flags;
  if (options.all_points) absl::StrAppend(&flags, " --points all");
  if (options.strict) absl::StrAppend(&flags, " --strict");
  for (const std::string& rule : options.ignore) absl::StrAppend(&flags, " --ignore ", rule);
  if (!options.implementation.empty()) {
    absl::StrAppend(&flags, " --implementation ", options.implementation);
  }
  return flags;
}

std::string CampaignHelp() {
  return absl::StrCat(R"(usage: cancelsafe-campaign [flags] [TARGET...]

Fuzzes every target under every sanitizer, several at a time, and ends with a
table and the findings. What was learnt stays in the work folder; the next
campaign goes on from there.

  --engine NAME             libfuzzer or afl: AFL++, one main and the other jobs
                            secondaries (libfuzzer)
  --seconds N               time of the whole campaign (60)
  --jobs N                  targets that run at the same time (as many as there
                            are processors)
  --sanitizer NAME          thread, address or none; may be repeated (thread and address)
  --implementation FILE.so  attack this shared object instead of the built-in code
  --points all              every load and store is a preemption point, where the
                            implementation was compiled for it
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore RULE             leave out a rule or clause; may be repeated
  --build DIR               has the targets: DIR/{tsan,asan,fuzz}/fuzzers/targets (build)
  --corpus DIR              has the seeds: DIR/<target>_fuzzer/{seeds,regressions} (corpus)
  --work DIR                for the growing corpus and the logs (build/campaign)
  --findings DIR            for the failures, as readable text (<work>/findings)

Targets, with or without _fuzzer: )",
                      absl::StrJoin(kTargets, ", ", kNameOf), R"(.
The default is all but canary, which has a known bug and must fail.

Exit status: 0 nothing found, 1 a violation was found, 2 wrong usage, 3 the
campaign could not be set up, 130 interrupted.
)");
}

}  // namespace cancelsafe
