// cancelsafe test: build and ctest for each preset, and one closing line. What is tested is
// in the CMakeLists.txt of the rooms; nothing is listed here.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"

namespace cancelsafe {
namespace {

// Of this build only what needs the memory engine is built and tested.
constexpr char kModelPreset[] = "model";
std::vector<std::string> TargetsOf(const std::string& preset) {
  if (preset == kModelPreset) return {"model_tests"};
  return {};
}

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Options {
  std::vector<std::string> sanitizers;
  std::string filter;
  std::string label;
  int jobs = 1;
};

// The number in NAME="..." of a report's first test suite.
int Attribute(const std::string& junit, const std::string& name) {
  const size_t at = junit.find(absl::StrCat(name, "=\""));
  int number = 0;
  if (at == std::string::npos) return 0;
  const size_t begin = at + name.size() + 2;
  return absl::SimpleAtoi(junit.substr(begin, junit.find('"', begin) - begin), &number) ? number
                                                                                        : 0;
}

class Tests {
 public:
  explicit Tests(const Options& options) : options_(options) {}

  int Run() {
    const double begin = SecondsNow();
    std::vector<std::string> built;
    // All of them first: tests of one build use the programs of others.
    for (const std::string& sanitizer : options_.sanitizers) {
      const std::string preset = PresetForTools(sanitizer);
      if (Part(absl::StrCat("build of ", preset), [&] { return Build(preset); })) {
        built.push_back(preset);
      }
    }
    for (const std::string& preset : built) {
      if (stopped_) break;
      Part(absl::StrCat("tests of ", preset), [&] { return Test(preset); });
    }
    printf("== time of each part\n%s%5.0f s  all\n", times_.c_str(), SecondsNow() - begin);
    for (const std::string& failure : failures_) printf("FAILED: %s\n", failure.c_str());
    if (stopped_) printf("Interrupted.\n");
    printf("%d passed, %d failed\n", passed_, failed_);
    if (stopped_) return kExitInterrupted;
    return failed_ == 0 ? kExitOk : kExitViolation;
  }

 private:
  template <typename Body>
  bool Part(const std::string& title, const Body& body) {
    const double begin = SecondsNow();
    printf("== %s\n", title.c_str());
    fflush(stdout);
    const bool well = body();
    absl::StrAppendFormat(&times_, "%5.0f s  %s\n", SecondsNow() - begin, title);
    return well;
  }

  void Fail(const std::string& what) {
    ++failed_;
    failures_.push_back(what);
  }

  bool Build(const std::string& preset) {
    if (TryBuildTargets(preset, TargetsOf(preset))) {
      ++passed_;
      return true;
    }
    const std::string log = absl::StrCat(BuildFolder(preset), "/build.log");
    for (const absl::string_view line : absl::StrSplit(ReadFile(log).value_or(""), '\n')) {
      if (!absl::StrContains(line, "error:") && !absl::StrContains(line, "FAILED:")) continue;
      printf("    %s\n", std::string(line).c_str());
    }
    Fail(absl::StrCat("build of ", preset, " (", log, ")"));
    return false;
  }

  bool Test(const std::string& preset) {
    const std::string folder = absl::StrCat(TreeRoot(), "/build/", preset);
    const std::string report = folder + "/ctest.xml";
    unlink(report.c_str());
    std::vector<std::string> command = {"ctest",
                                        "--test-dir",
                                        folder,
                                        absl::StrCat("-j", options_.jobs),
                                        "--output-on-failure",
                                        "--output-junit",
                                        report,
                                        "--no-tests=error"};
    if (!options_.filter.empty()) command.insert(command.end(), {"-R", options_.filter});
    if (preset == kModelPreset) command.insert(command.end(), {"-L", "model"});
    if (!options_.label.empty()) command.insert(command.end(), {"-L", options_.label});
    std::string output;
    const StopSignals stop;
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, kNoLimit, [&](absl::string_view text) { absl::StrAppend(&output, text); }, {},
        &stop);
    RequireOk(end);
    stopped_ = end->stopped;
    const absl::Status logged = WriteFileAtomically(folder + "/ctest.log", output);
    RequireOk(logged);
    return Count(preset, ReadFile(report).value_or(""), output, end->status.clean());
  }

  // Takes in what ctest reported, and shows what failed.
  bool Count(const std::string& preset, const std::string& junit, const std::string& output,
             bool clean) {
    const int tests = Attribute(junit, "tests"), failures = Attribute(junit, "failures");
    const int left_out = Attribute(junit, "disabled") + Attribute(junit, "skipped");
    passed_ += tests - failures - left_out;
    failed_ += failures;
    printf("   %s: %d tests, %d failed, %d skipped\n", preset.c_str(), tests, failures, left_out);
    if (stopped_) return false;
    if (failures == 0 && clean && tests > 0) {
      const size_t skipped = output.find("The following tests did not run:");
      if (skipped != std::string::npos) printf("%s", output.substr(skipped).c_str());
      return true;
    }
    if (failures == 0) {
      Fail(absl::StrCat("ctest of ", preset, tests == 0 ? " ran no test" : " failed"));
    } else {
      failures_.push_back(absl::StrCat("ctest of ", preset, ": ", failures, " tests"));
    }
    const size_t list = output.find("The following tests FAILED");
    if (list != std::string::npos) printf("%s", output.substr(list).c_str());
    printf("   what they printed: %s/ctest.log\n", BuildFolder(preset).c_str());
    for (const absl::string_view line : absl::StrSplit(output, '\n')) {
      if (!absl::StrContains(line, ": Failure") && !absl::StrContains(line, "ERROR: ") &&
          !absl::StrContains(line, "VERDICT ")) {
        continue;
      }
      printf("    %s\n", std::string(line).c_str());
    }
    return false;
  }

  const Options& options_;
  int passed_ = 0;
  int failed_ = 0;
  bool stopped_ = false;
  std::vector<std::string> failures_;
  std::string times_;
};

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  options->jobs = ProcessorCount();
  AddSanitizers(app, &options->sanitizers, "none, address, thread and model");
  AddText(app, "--filter", &options->filter, "RE", "only tests whose name matches");
  AddText(app, "--label", &options->label, "RE",
          "only tests with a label that matches: targets, mutants, coverage, fleets, style, ci, "
          "front-door");
  AddJobs(app, &options->jobs, "tests at the same time (as many as there are processors)");
  return [options] {
    if (options->sanitizers.empty()) options->sanitizers = {"none", "address", "thread", "model"};
    return Tests(*options).Run();
  };
}

const RegisterSubcommand registered(
    {"test", SubcommandGroup::kWorkOn, "build everything and run all tests", "",
     "Builds everything without sanitizer and with AddressSanitizer, and with ThreadSanitizer and "
     "the memory engine what these can tell something of, and runs the tests of each build. Among "
     "them are replays of the corpus, some runs of every fuzz target, known bugs of each class "
     "that must be found, what the corpus covers, the builds of "
     "fleets, and the style of all sources. The last line is \"N passed, N failed\".",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
