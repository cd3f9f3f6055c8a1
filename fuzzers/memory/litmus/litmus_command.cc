// cancelsafe litmus: runs the litmus tests of a file on the memory engine.
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "fuzzers/memory/litmus/report.h"

namespace cancelsafe::litmus {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string memory;
  std::string test;
};

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const memory::Model model : memory::kModels) names.emplace_back(ModelName(model));
  return names;
}

int Run(const Options& options) {
  if (options.files.size() != 1) {
    throw UsageError("name one file of litmus tests; see 'cancelsafe litmus --help'");
  }
  const std::string& path = options.files[0];
  const auto text = ReadFile(path);
  if (!text.ok()) throw UsageError(std::string(text.status().message()));
  const absl::StatusOr<std::vector<Case>> tests = ParseTests(*text);
  if (!tests.ok()) throw UsageError(path + ": " + std::string(tests.status().message()));
  std::vector<memory::Model> models;
  for (const memory::Model model : memory::kModels) {
    if (options.memory.empty() || options.memory == ModelName(model)) models.push_back(model);
  }
  if (options.test.empty()) {
    return ReportAll(*tests, models, stdout) ? kExitOk : kExitViolation;
  }
  for (const Case& test : *tests) {
    if (test.name != options.test) continue;
    return ReportOne(test, models, stdout) ? kExitOk : kExitViolation;
  }
  throw UsageError("--test is '" + options.test + "'; " + path + " has no test of that name");
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  AddChoice(app, "--memory", &options->memory, ModelNames(),
            "the memory model: sc, tso or rc11 (all three)");
  AddText(app, "--test", &options->test, "NAME",
          "show one test: its program, and which outcome each model allows");
  AddArguments(app, "FILE.json", &options->files);
  return [options] { return Run(*options); };
}

const RegisterSubcommand registered(
    {"litmus", SubcommandGroup::kMeasure, "compare the memory engine with litmus tests",
     "FILE.json",
     "Runs each test of the file in every way that a memory model allows, and compares the "
     "outcomes and races with those that the file expects.",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe::litmus
