// cancelsafe bench: builds the program that measures, and hands over to it; counts
// instructions itself.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "impl/bench/bench_flags.h"
#include "impl/bench/instruction_counts.h"

namespace cancelsafe {
namespace {

constexpr char kPreset[] = "dev";

InstructionTable Count() {
  BuildTargets(kPreset, {"cancelsafe_instruction_paths"});
  const absl::StatusOr<InstructionTable> counted = CountInstructions(
      absl::StrCat(BuildFolder(kPreset), "/impl/bench/cancelsafe_instruction_paths"));
  RequireOk(counted);
  return *counted;
}

int CountAndCompare(const BenchOptions& options) {
  const InstructionTable counted = Count();
  const std::string path = TreePath("impl/bench/instruction_counts.txt");
  if (options.record_instructions) {
    const absl::Status status = WriteFileAtomically(path, PrintInstructionTable(counted));
    RequireOk(status);
    printf("%s", PrintInstructionTable(counted).c_str());
    return kExitOk;
  }
  const absl::StatusOr<InstructionTable> recorded = ReadInstructionTable(path);
  RequireOk(recorded);
  const InstructionComparison comparison = CompareInstructions(*recorded, counted);
  printf("%s", comparison.text.c_str());
  return comparison.same ? kExitOk : kExitViolation;
}

int Run(const BenchOptions& options) {
  if (options.check_instructions || options.record_instructions) return CountAndCompare(options);
  // Instructions first: what else runs on the machine does not change them.
  if (options.check) {
    const InstructionComparison small = CompareWithPlainList(Count());
    printf("%s\n", small.text.c_str());
    fflush(stdout);
    if (!small.same) return kExitViolation;
  }
  // A build that was configured before the package was installed lacks the target.
  if (!HasTarget(kPreset, "cancelsafe_bench")) Reconfigure(kPreset);
  BuildTargets(kPreset, {"cancelsafe_bench"});
  std::vector<std::string> words = {
      absl::StrCat(BuildFolder(kPreset), "/impl/bench/cancelsafe_bench")};
  words.insert(words.end(), CommandWords().begin() + 1, CommandWords().end());
  throw SetupError(std::string(BecomeProgram(words).message()));
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<BenchOptions>();
  DeclareBenchFlags(app, options.get());
  return [options] { return Run(*options); };
}

const RegisterSubcommand registered(
    {"bench", SubcommandGroup::kMeasure, "measure the speed of the implementation", "",
     "Measures the optimized implementation beside a plain list, a B-tree, a hand-inlined list "
     "and a hand-inlined cancel-safe protocol, alternately and several times, and prints the "
     "medians, the promised ratios and the machine's noise.",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
