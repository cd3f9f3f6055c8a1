// See drive_session.h.
#include "fuzzers/drivers/fuzz/drive_session.h"

#include <chrono>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/status.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

struct Loaded {
  std::unique_ptr<DriverImage> image;
  Implementation queues;
  std::unique_ptr<DriverRunner> runner;
};

Loaded Load(const std::string& driver, const std::string& implementation) {
  Loaded loaded;
  std::string error;
  loaded.image = LoadDriver(driver, &error);
  if (loaded.image == nullptr) throw UsageError(error);
  const std::vector<std::string>& missing = loaded.image->missing_services();
  if (!missing.empty()) {
    std::printf("%s imports %zu services that are not provided: %s\n", driver.c_str(),
                missing.size(), absl::StrJoin(missing, ", ").c_str());
  }
  if (!loaded.image->instrumented()) {
    std::printf(
        "%s was not built by 'cancelsafe drive build': the schedule switches at services"
        " only, and data races are not seen.\n",
        driver.c_str());
  }
  const Implementation* queues = nullptr;
  if (!implementation.empty()) {
    if (!LoadImplementation(implementation.c_str(), &loaded.queues, &error)) {
      throw UsageError(error);
    }
    queues = &loaded.queues;
  }
  loaded.runner = std::make_unique<DriverRunner>(loaded.image.get(), queues);
  return loaded;
}

std::string SavedName(const DriveFinding& finding) {
  return absl::StrCat(finding.confirmed ? "" : "unconfirmed-", finding.verdict.rule, ".txt");
}

}  // namespace

std::string FindingText(const DriveFinding& finding, const std::string& driver) {
  DriverProgramFile file;
  file.program = finding.program;
  file.header_comments = {VerdictLine(finding.verdict), absl::StrCat("driver ", driver)};
  if (!finding.confirmed) file.header_comments.emplace_back("did not happen again when repeated");
  return PrintDriverProgram(file);
}

int DriveFuzzSession(const DriveSessionOptions& options) {
  Loaded loaded = Load(options.driver, options.implementation);
  DriveFuzzOptions fuzz;
  fuzz.seed = static_cast<uint64_t>(options.seed);
  fuzz.runs_max = options.runs;
  fuzz.seconds_max = options.seconds;
  if (options.runs == 0 && options.seconds == 0) fuzz.seconds_max = 60;
  fuzz.stops_at_first = !options.keep_going;
  for (const std::string& ignored : options.ignored) {
    DriverRule rule;
    if (!FindDriverRule(ignored, &rule)) {
      std::vector<std::string> names;
      for (const DriverRuleRow& row : DriverRules()) names.emplace_back(row.name);
      throw UsageError(absl::StrCat("--ignore: unknown rule '", ignored, "'; the rules are ",
                                    absl::StrJoin(names, ", ")));
    }
    fuzz.ignored.insert(ignored);
  }
  const auto begin = std::chrono::steady_clock::now();
  const DriveFuzzResult result =
      DriveFuzzer(loaded.runner.get()).Fuzz(fuzz, [&](const DriveFinding& finding) {
        if (absl::Status made = MakeFolder(options.directory); !made.ok()) {
          throw SetupError(std::string(made.message()));
        }
        const std::string name = SavedName(finding);
        const absl::Status written =
            WriteFileIn(options.directory, name, FindingText(finding, options.driver));
        if (!written.ok()) throw SetupError(std::string(written.message()));
        std::printf(
            "%s\n  %zu operations, %d preemptions: %s/%s\n"
            "  ./cancelsafe drive %s --replay %s/%s\n",
            VerdictLine(finding.verdict).c_str(), finding.program.operations.size(),
            finding.preemptions, options.directory.c_str(), name.c_str(), options.driver.c_str(),
            options.directory.c_str(), name.c_str());
      });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  if (!result.facts.starts) std::printf("DriverEntry fails, so no request was sent.\n");
  std::printf("%lld runs of %lld programs in %.1f s (%.0f/s), %lld operations, %lld left out\n",
              static_cast<long long>(result.runs), static_cast<long long>(result.programs),
              passed.count(), static_cast<double>(result.runs) / std::max(passed.count(), 1e-9),
              static_cast<long long>(result.operations), static_cast<long long>(result.skipped));
  for (const auto& [reason, count] : result.not_judged) {
    std::printf("not judged: %lld runs: %s\n", static_cast<long long>(count), reason.c_str());
  }
  for (const auto& [rule, count] : result.ignored) {
    std::printf("ignored: %lld runs: %s\n", static_cast<long long>(count), rule.c_str());
  }
  if (result.findings.empty()) std::printf("No findings.\n");
  return result.findings.empty() ? kExitOk : kExitViolation;
}

int DriveReplaySession(const DriveReplayOptions& options) {
  const absl::StatusOr<std::string> text = ReadFile(options.file, 1 << 20);
  if (!text.ok()) throw UsageError(std::string(text.status().message()));
  absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(*text);
  if (!file.ok()) throw UsageError(absl::StrCat(options.file, ": ", file.status().message()));
  Verdict expected;
  for (const std::string& comment : file->header_comments) ParseVerdictLine(comment, &expected);
  Loaded loaded = Load(options.driver, options.implementation);
  DriverRunOptions run;
  Verdict first;
  for (int i = 0; i < options.repeat; ++i) {
    run.tells_story = i == 0;
    const DriverRunOutput& output = loaded.runner->Run(file->program, run);
    if (i == 0) {
      for (const std::string& line : output.story) std::printf("%s\n", line.c_str());
      first = output.verdict;
    } else if (!SameDriverFinding(first, output.verdict)) {
      std::printf("repetition %d differs: %s\n", i + 1, VerdictLine(output.verdict).c_str());
      return kExitViolation;
    }
  }
  if (options.repeat > 1) std::printf("%d of %d runs the same\n", options.repeat, options.repeat);
  if (first.ok()) std::printf("The program passes.\n");
  if (!SameDriverFinding(first, expected)) {
    std::printf("The file names another verdict: %s\n", VerdictLine(expected).c_str());
    return kExitViolation;
  }
  return first.ok() ? kExitOk : kExitViolation;
}

}  // namespace cancelsafe::drivers
