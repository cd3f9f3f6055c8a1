// Medians, quartiles, and the reporter that collects them.
#include "measurements.h"

#include <algorithm>
#include <cstdio>

namespace cancelsafe {
namespace {

// `fraction` of the sorted values lie below the result; between two of them it is
// interpolated.
double Quantile(const std::vector<double>& sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  return sorted[below] * (1 - part) + sorted[above] * part;
}

Figure FigureOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double median = Quantile(values, 0.5);
  const double spread = Quantile(values, 0.75) - Quantile(values, 0.25);
  return {median, median > 0 ? spread / 2 / median : 0};
}

}  // namespace

void Measurements::Add(const std::string& benchmark, double nanoseconds) {
  costs_[benchmark].push_back(nanoseconds);
}

std::optional<Figure> Measurements::Cost(const std::string& benchmark) const {
  const auto found = costs_.find(benchmark);
  if (found == costs_.end()) return std::nullopt;
  return FigureOf(found->second);
}

std::optional<Figure> Measurements::Ratio(const std::string& above,
                                          const std::string& below) const {
  const auto a = costs_.find(above);
  const auto b = costs_.find(below);
  if (a == costs_.end() || b == costs_.end() || a->second.size() != b->second.size()) {
    return std::nullopt;
  }
  std::vector<double> ratios;
  for (size_t round = 0; round < a->second.size(); ++round) {
    ratios.push_back(a->second[round] / b->second[round]);
  }
  return FigureOf(ratios);
}

std::optional<Figure> Measurements::LeastRatio(const std::string& above,
                                               const std::string& below) const {
  std::optional<Figure> figure = Ratio(above, below);
  if (!figure) return std::nullopt;
  const auto least = [this](const std::string& name) {
    const std::vector<double>& rounds = costs_.at(name);
    return *std::min_element(rounds.begin(), rounds.end());
  };
  figure->value = least(above) / least(below);
  return figure;
}

bool CollectingReporter::ReportContext(const Context&) { return true; }

void CollectingReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.error_occurred) {
      std::fprintf(stderr, "%s left out: %s\n", run.run_name.function_name.c_str(),
                   run.error_message.c_str());
    } else if (run.run_type == Run::RT_Iteration) {
      // A benchmark that keeps the time itself says so in its name.
      const bool own_time = run.run_name.time_type == "manual_time";
      measurements_->Add(run.run_name.function_name,
                         own_time ? run.GetAdjustedRealTime() : run.GetAdjustedCPUTime());
    }
  }
}

}  // namespace cancelsafe
