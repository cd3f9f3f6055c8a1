// cancelsafe-litmus: runs the litmus tests of a file on the memory engine.
#include <cstring>
#include <fstream>
#include <sstream>

#include "fuzzers/memory/litmus/report.h"

namespace cancelsafe::litmus {
namespace {

constexpr char kUsage[] =
    "usage: cancelsafe-litmus FILE.json [--memory sc|tso|rc11] [--test NAME]\n\n"
    "Runs each test of the file in every way that a memory model allows, under all three\n"
    "models or one, and compares the outcomes and races with those that the file expects.\n"
    "--test shows one test: its program, and which outcome each model allows.\n"
    "Exit status: 0 all as expected, 1 something differs, 2 wrong usage.\n";

struct Options {
  std::string file;
  std::string test;
  std::vector<memory::Model> models{std::begin(memory::kModels), std::end(memory::kModels)};
};

// Returns "" or what is wrong.
std::string Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--memory" || word == "--test") {
      if (!has_value) return word + " needs a value";
      const std::string value = argv[++i];
      if (word == "--test") {
        options->test = value;
        continue;
      }
      options->models.clear();
      for (const memory::Model model : memory::kModels) {
        if (value == ModelName(model)) options->models.push_back(model);
      }
      if (options->models.empty()) {
        return "--memory is '" + value + "'; expected sc, tso or rc11";
      }
    } else if (word[0] == '-') {
      return "unknown flag '" + word + "'; see --help";
    } else if (!options->file.empty()) {
      return "expected one file, got '" + options->file + "' and '" + word + "'";
    } else {
      options->file = word;
    }
  }
  return options->file.empty() ? "expected a file of litmus tests; see --help" : "";
}

int Fail(const std::string& message) {
  fprintf(stderr, "cancelsafe-litmus: %s\n", message.c_str());
  return 2;
}

int Main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(kUsage, stdout);
    return 0;
  }
  Options options;
  const std::string wrong = Parse(argc, argv, &options);
  if (!wrong.empty()) return Fail(wrong);
  std::ifstream file(options.file);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return Fail("cannot read " + options.file);
  const absl::StatusOr<std::vector<Case>> tests = ParseTests(text.str());
  if (!tests.ok()) return Fail(options.file + ": " + std::string(tests.status().message()));
  if (options.test.empty()) return ReportAll(*tests, options.models, stdout) ? 0 : 1;
  for (const Case& test : *tests) {
    if (test.name == options.test) return ReportOne(test, options.models, stdout) ? 0 : 1;
  }
  return Fail("no test '" + options.test + "' in " + options.file);
}

}  // namespace
}  // namespace cancelsafe::litmus

int main(int argc, char** argv) { return cancelsafe::litmus::Main(argc, argv); }
