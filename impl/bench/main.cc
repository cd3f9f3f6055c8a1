// cancelsafe_bench: runs the benchmarks in rounds and reports the promised ratios.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "benchmarks.h"
#include "measurements.h"
#include "plot.h"
#include "ratios.h"

namespace cancelsafe {
namespace {

constexpr char kUsage[] =
    "usage: cancelsafe_bench [--filter RE] [--rounds N] [--seconds S] [--json FILE]\n"
    "                        [--plots FOLDER] [--check]\n"
    "  --filter RE     only benchmarks whose name matches (default: all)\n"
    "  --rounds N      passes over all benchmarks; figures are medians over them (default 7)\n"
    "  --seconds S     least time for one benchmark in one round (default 0.05)\n"
    "  --json FILE     write the ratios, their noise and all costs\n"
    "  --plots FOLDER  write cost against depth as SVG into a folder that exists\n"
    "  --check         exit with 1 if a promise is not kept\n";

struct Options {
  std::string filter = ".*";
  int rounds = 7;
  std::string seconds = "0.05";
  std::string json;
  std::string plots;
  bool check = false;
};

bool ParseOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--check") {
      options->check = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    if (flag == "--filter") {
      options->filter = value;
    } else if (flag == "--rounds") {
      options->rounds = std::atoi(value.c_str());
    } else if (flag == "--seconds") {
      options->seconds = value;
    } else if (flag == "--json") {
      options->json = value;
    } else if (flag == "--plots") {
      options->plots = value;
    } else {
      return false;
    }
  }
  return options->rounds > 0 && std::atof(options->seconds.c_str()) > 0;
}

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

bool WritePlots(const std::string& folder, const Measurements& measurements) {
  // The optimized queue first: it has the same colour everywhere.
  const std::vector<PlotLine> by_key = {{"optimized", "by_key/optimized/random"},
                                        {"linear list", "by_key/linear/random"},
                                        {"B-tree", "by_key/btree/random"},
                                        {"optimized, in IRPs", "by_key/optimized/irps"},
                                        {"B-tree, in IRPs", "by_key/btree/irps"}};
  const std::vector<PlotLine> keys = {{"random", "by_key/optimized/random"},
                                      {"ascending", "by_key/optimized/ascending"},
                                      {"descending", "by_key/optimized/descending"},
                                      {"equal", "by_key/optimized/equal"}};
  const std::vector<PlotLine> fifo = {{"optimized", "fifo/optimized/unkeyed"},
                                      {"hand-inlined list", "fifo/inline/unkeyed"}};
  return Write(folder + "/by_key.svg",
               PlotAsSvg("Insert by key plus remove by key, random keys", by_key, measurements)) &&
         Write(
             folder + "/by_key_orders.svg",
             PlotAsSvg("Insert by key plus remove by key, by order of keys", keys, measurements)) &&
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

int Main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, &options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::string least_time = "--benchmark_min_time=" + options.seconds;
  char* arguments[] = {argv[0], least_time.data(), nullptr};
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
    if (benchmark::RunSpecifiedBenchmarks(&reporter, options.filter) == 0) return 2;
  }

  const std::vector<PromisedRatio> ratios = RatiosOf(measurements);
  PrintCosts(measurements);
  std::printf("\n%s", RatiosAsText(ratios).c_str());
  if (!options.json.empty() && !Write(options.json, RatiosAsJson(ratios, measurements))) return 3;
  if (!options.plots.empty() && !WritePlots(options.plots, measurements)) return 3;
  for (const PromisedRatio& ratio : ratios) {
    if (options.check && !ratio.Kept()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
