// See drive_session.h.
#include "fuzzers/drivers/fuzz/drive_session.h"

#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/counted.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/run/memory_run.h"
#include "fuzzers/run/report.h"

namespace cancelsafe::drivers {

std::string FindingFileName(const DriveFinding& finding, const std::string& driver) {
  DriverProgramFile plain;
  plain.program = finding.program;
  return absl::StrCat(finding.confirmed ? "" : kUnconfirmed,
                      FailureFileName(absl::StripSuffix(BaseName(driver), ".sys"),
                                      PrintDriverProgram(plain), finding.verdict));
}

std::string DriverReplayCommand(const std::string& implementation, const std::string& path) {
  return absl::StrCat("./cancelsafe replay ", memory::kHooked ? "--sanitizer model " : "",
                      implementation.empty() ? "" : "--implementation ", implementation,
                      implementation.empty() ? "" : " ", path);
}

std::string FindingText(const DriveFinding& finding, const std::string& driver,
                        const std::string& implementation, const std::string& origin,
                        const std::string& path) {
  DriverProgramFile file;
  file.program = finding.program;
  file.header_comments = {VerdictLine(finding.verdict), absl::StrCat("driver ", driver),
                          absl::StrCat("found: ", origin),
                          absl::StrCat("preemptions: ", finding.preemptions),
                          absl::StrCat("replay: ", DriverReplayCommand(implementation, path))};
  if (!finding.profile.empty()) {
    file.header_comments.insert(file.header_comments.begin() + 2,
                                absl::StrCat("profile ", finding.profile));
  }
  if (!finding.confirmed) file.header_comments.emplace_back("did not happen again when repeated");
  return PrintDriverProgram(file);
}

int DriveFuzzSession(const DriveSessionOptions& options) {
  const LoadedDriver loaded = OpenDriver(options.driver, options.implementation, options.profile);
  std::printf("%s", loaded.remarks.c_str());
  RequireRequests(loaded.runner.get());
  DriveFuzzOptions fuzz;
  fuzz.seed = static_cast<uint64_t>(options.seed);
  fuzz.runs_max = options.runs;
  fuzz.seconds_max = options.seconds;
  if (options.runs == 0 && options.seconds == 0) fuzz.seconds_max = 60;
  fuzz.stops_at_first = !options.keep_going;
  fuzz.ignored = IgnoredRules(options.ignored);
  if (const std::string& model = options.memory; !model.empty()) {
    const std::string wrong = ReadMemoryModel(model, &fuzz.memory);
    if (!wrong.empty()) throw UsageError(wrong);
  } else if (memory::kHooked) {
    fuzz.memory = schedule::MemoryModel::kRc11;
  }
  const auto begin = std::chrono::steady_clock::now();
  const DriveFuzzResult result =
      DriveFuzzer(loaded.runner.get()).Fuzz(fuzz, [&](const DriveFinding& finding) {
        if (absl::Status made = MakeFolder(options.directory); !made.ok()) {
          throw SetupError(std::string(made.message()));
        }
        const std::string name = FindingFileName(finding, options.driver);
        const std::string path = absl::StrCat(options.directory, "/", name);
        const absl::Status written = WriteFileIn(
            options.directory, name,
            FindingText(finding, options.driver, options.implementation,
                        absl::StrCat("seed ", options.seed, ", run ", finding.found_after), path));
        RequireOk(written);
        DriverRule rule = DriverRule::kBugCheck;
        FindDriverRule(finding.verdict.rule, &rule);
        std::printf(
            "%s\n  rule:   %s (%s)\n  %s, %s\n  saved:  %s\n"
            "  replay: %s\n",
            VerdictLine(finding.verdict).c_str(), InfoOf(rule).demand, InfoOf(rule).source,
            Counted(static_cast<int64_t>(finding.program.operations.size()), "operation").c_str(),
            Counted(finding.preemptions, "preemption").c_str(), path.c_str(),
            DriverReplayCommand(options.implementation, path).c_str());
      });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  std::printf("%lld runs of %lld programs in %.1f s (%.0f/s), %lld operations, %lld left out\n",
              static_cast<long long>(result.runs), static_cast<long long>(result.programs),
              passed.count(), static_cast<double>(result.runs) / std::max(passed.count(), 1e-9),
              static_cast<long long>(result.operations), static_cast<long long>(result.skipped));
  if (result.restless != 0) {
    std::printf("not judged by all rules: %lld runs in which the driver does not come to rest\n",
                static_cast<long long>(result.restless));
  }
  if (result.facts.codes_left_out != 0 && loaded.profile == nullptr) {
    std::printf("%s\n", LeftOutCodesText(result.facts).c_str());
  }
  for (const auto& [reason, count] : result.not_judged) {
    std::printf("not judged: %lld runs: %s\n", static_cast<long long>(count), reason.c_str());
  }
  for (const auto& [rule, count] : result.again) {
    std::printf("found again: %lld runs: %s\n", static_cast<long long>(count), rule.c_str());
  }
  for (const auto& [rule, count] : result.ignored) {
    std::printf("ignored: %lld runs: %s\n", static_cast<long long>(count), rule.c_str());
  }
  if (!result.findings.empty()) return kExitViolation;
  int64_t judged = result.runs;
  for (const auto& [reason, count] : result.not_judged) judged -= count;
  if (judged == 0) throw SetupError("no run could be judged");
  std::printf("No findings.\n");
  return kExitOk;
}

}  // namespace cancelsafe::drivers
