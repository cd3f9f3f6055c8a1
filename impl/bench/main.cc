// cancelsafe_bench: runs the benchmarks in rounds and reports the promised ratios.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "benchmarks.h"
#include "command/command_line.h"
#include "command/require_ok.h"
#include "impl/bench/bench_flags.h"
#include "measurements.h"
#include "plot.h"
#include "ratios.h"

namespace cancelsafe {
namespace {

void Write(const std::string& path, const std::string& text) {
  const absl::Status status = WriteFileAtomically(path, text);
  RequireOk(status);
}

void WritePlots(const std::string& folder, const Measurements& measurements) {
  // The optimized queue first: it has the same colour everywhere.
  const std::vector<PlotLine> by_key = {{"optimized", "by_key/optimized/random"},
                                        {"plain list", "by_key/plain/random"},
                                        {"B-tree", "by_key/btree/random"},
                                        {"optimized, in IRPs", "by_key/optimized/irps"},
                                        {"B-tree, in IRPs", "by_key/btree/irps"}};
  const std::vector<PlotLine> keys = {{"random", "by_key/optimized/random"},
                                      {"ascending", "by_key/optimized/ascending"},
                                      {"descending", "by_key/optimized/descending"},
                                      {"equal", "by_key/optimized/equal"}};
  const std::vector<PlotLine> fifo = {{"optimized", "fifo/optimized/unkeyed"},
                                      {"hand-inlined list", "fifo/inline/unkeyed"}};
  Write(folder + "/by_key.svg",
        PlotAsSvg("Insert by key plus remove by key, random keys", by_key, measurements));
  Write(folder + "/by_key_orders.svg",
        PlotAsSvg("Insert by key plus remove by key, by order of keys", keys, measurements));
  Write(folder + "/fifo.svg",
        PlotAsSvg("Unkeyed insert plus remove of the head", fifo, measurements));
}

void PrintCosts(const Measurements& measurements) {
  std::printf("%-36s %12s\n", "benchmark", "ns");
  for (const auto& [name, rounds] : measurements.costs()) {
    const Figure cost = *measurements.Cost(name);
    std::printf("%-36s %12.1f  +- %4.1f %%\n", name.c_str(), cost.value, 100 * cost.noise);
  }
}

int Run(const BenchOptions& options, char* program) {
  std::string least_time = "--benchmark_min_time=" + std::to_string(options.round_seconds);
  char* arguments[] = {program, least_time.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments);
  RegisterDeviceQueueBenchmarks();
  RegisterSmallQueueBenchmarks();
  RegisterCsqBenchmarks();
  RegisterCancelBenchmarks();

  Measurements measurements;
  CollectingReporter reporter(&measurements);
  for (int round = 0; round < options.rounds; ++round) {
    std::fprintf(stderr, "round %d of %d\n", round + 1, options.rounds);
    if (benchmark::RunSpecifiedBenchmarks(&reporter, options.filter) == 0) {
      throw UsageError("--filter: no benchmark has a name that matches " + options.filter);
    }
  }

  const std::vector<PromisedRatio> ratios = RatiosOf(measurements);
  PrintCosts(measurements);
  std::printf("\n%s", RatiosAsText(ratios).c_str());
  if (!options.json.empty()) Write(options.json, RatiosAsJson(ratios, measurements));
  if (!options.plots.empty()) WritePlots(options.plots, measurements);
  for (const PromisedRatio& ratio : ratios) {
    if (options.check && !ratio.Kept()) return kExitViolation;
  }
  // A filter leaves some out on purpose.
  if (!options.check || options.filter != BenchOptions().filter) return kExitOk;
  const std::vector<std::string> missing = NotMeasured(ratios);
  for (const std::string& name : missing) std::printf("%-36s NOT MEASURED\n", name.c_str());
  return missing.empty() ? kExitOk : kExitViolation;
}

char* program_name = nullptr;

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<BenchOptions>();
  DeclareBenchFlags(app, options.get());
  return [options] { return Run(*options, program_name); };
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) {
  cancelsafe::program_name = argv[0];
  return cancelsafe::RunSingleCommand(
      {"bench", cancelsafe::SubcommandGroup::kMeasure, "", "", "", "", &cancelsafe::Declare}, argc,
      argv);
}
