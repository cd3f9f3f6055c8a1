// The flags of `cancelsafe bench`, declared once for the subcommand and for the program
// that measures, which are two processes: what is measured is not instrumented.
#ifndef CANCELSAFE_IMPL_BENCH_BENCH_FLAGS_H_
#define CANCELSAFE_IMPL_BENCH_BENCH_FLAGS_H_

#include <climits>
#include <string>

#include "command/flags.h"

namespace cancelsafe {

struct BenchOptions {
  std::string filter = ".*";
  int rounds = 7;
  double round_seconds = 0.05;
  std::string json;
  std::string plots;
  bool check = false;
  bool check_instructions = false;
  bool record_instructions = false;
};

inline void DeclareBenchFlags(CLI::App* app, BenchOptions* options) {
  AddText(app, "--filter", &options->filter, "RE", "only benchmarks whose name matches");
  AddNumber(app, "--rounds", &options->rounds, 1, INT_MAX,
            "passes over all benchmarks; figures are medians over them (7)");
  AddPositive(app, "--round-seconds", &options->round_seconds,
              "least time for one benchmark in one round (0.05)");
  AddText(app, "--json", &options->json, "FILE", "write the ratios, their noise and all costs");
  AddText(app, "--plots", &options->plots, "DIR",
          "write cost against depth as SVG into a folder that exists");
  AddSwitch(app, "--check", &options->check,
            "exit with 1 if a promise is not kept, or was not measured without a --filter; counts "
            "the instructions of small queues first, with callgrind");
  AddSwitch(app, "--check-instructions", &options->check_instructions,
            "only count the instructions of the hot paths, with callgrind, and compare them with "
            "impl/bench/instruction_counts.txt");
  AddSwitch(app, "--record-instructions", &options->record_instructions,
            "only count them and write that file");
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_BENCH_FLAGS_H_
