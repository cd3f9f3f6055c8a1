// Plots of cost against depth, both axes logarithmic, as SVG.
#ifndef CANCELSAFE_IMPL_BENCH_PLOT_H_
#define CANCELSAFE_IMPL_BENCH_PLOT_H_

#include <string>
#include <vector>

#include "measurements.h"

namespace cancelsafe {

// One line of a plot: the benchmarks "<prefix>/<depth>".
struct PlotLine {
  std::string label;
  std::string prefix;
};

// A self-contained SVG document. Depths that were not measured are left out.
std::string PlotAsSvg(const std::string& title, const std::vector<PlotLine>& lines,
                      const Measurements& measurements);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_PLOT_H_
