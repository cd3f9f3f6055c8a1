// Which ratios there are, and their two written forms.
#include "ratios.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "benchmarks.h"

namespace cancelsafe {
namespace {

struct Definition {
  const char* name;
  const char* above;
  const char* below;
  double limit;
  bool at_least;
  // Of the least times of all rounds, not the median of the rounds' ratios: where a few
  // nanoseconds decide, what else runs on the machine would.
  bool of_least = false;
};

constexpr bool kAtLeast = true;
constexpr bool kAtMost = false;

// A small queue may cost what a plain list costs. The rest is noise: least times of
// two runs of the same code differ by one or two per cent.
constexpr double kSmallLimit = 1.02;

constexpr const char* kSmallKinds[] = {"by_key", "fifo"};
constexpr char kCancelScaling[] = "cancel_scaling";

const Definition kDefinitions[] = {
    {"by_key_vs_plain_list_100k", "by_key/plain/random/100000", "by_key/optimized/random/100000",
     1000, kAtLeast},
    {"by_key_vs_btree_100k", "by_key/optimized/random/100000", "by_key/btree/random/100000", 2,
     kAtMost, true},
    {"by_key_vs_btree_100k_in_irps", "by_key/optimized/irps/100000", "by_key/btree/irps/100000", 0,
     kAtMost, true},
    {"by_key_growth_100_to_100k", "by_key/optimized/random/100000", "by_key/optimized/random/100",
     10, kAtMost, true},
    {"by_key_growth_100_to_100k_in_irps", "by_key/optimized/irps/100000",
     "by_key/optimized/irps/100", 0, kAtMost, true},
    {"by_key_ascending_vs_random_100k", "by_key/optimized/ascending/100000",
     "by_key/optimized/random/100000", 1, kAtMost},
    {"by_key_descending_vs_random_100k", "by_key/optimized/descending/100000",
     "by_key/optimized/random/100000", 1, kAtMost},
    {"by_key_equal_vs_random_100k", "by_key/optimized/equal/100000",
     "by_key/optimized/random/100000", 1, kAtMost},
    {"fifo_vs_list", "fifo/optimized/unkeyed/8", "fifo/inline/unkeyed/8", 1.1, kAtMost, true},
    {"fifo_vs_list_100k", "fifo/optimized/unkeyed/100000", "fifo/inline/unkeyed/100000", 1.1,
     kAtMost, true},
    {"csq_next_vs_inline", "csq/optimized/next", "csq/inline/next", 1.25, kAtMost, true},
    {"csq_context_vs_inline", "csq/optimized/context", "csq/inline/context", 1.25, kAtMost, true},
};

// Throughput that a second thread adds to cancelling, over what it adds to pairs on
// separate queues.
std::optional<Figure> CancelScaling(const Measurements& measurements) {
  const auto cancel = measurements.Ratio("threads/cancel/1", "threads/cancel/2");
  const auto pairs = measurements.Ratio("threads/pairs/1", "threads/pairs/2");
  if (!cancel || !pairs) return std::nullopt;
  return Figure{cancel->value / pairs->value, std::hypot(cancel->noise, pairs->noise)};
}

std::string SmallRatioName(const char* what, int depth) {
  return std::string(what) + "_vs_plain_list_" + std::to_string(depth);
}

// Ours over the plain list, at each small depth.
void AddSmallQueues(const Measurements& measurements, std::vector<PromisedRatio>* ratios) {
  for (const char* what : kSmallKinds) {
    for (int depth : kSmallDepths) {
      const std::string suffix = std::string(what) + "/" + std::to_string(depth);
      const auto figure =
          measurements.LeastRatio("small/optimized/" + suffix, "small/plain/" + suffix);
      if (!figure) continue;
      ratios->push_back({SmallRatioName(what, depth), *figure, kSmallLimit, kAtMost});
    }
  }
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

// "name": value, with the comma that separates it from the one before.
void AddMember(const std::string& name, double value, std::string* object) {
  *object += object->empty() ? "\n" : ",\n";
  *object += "    \"" + name + "\": " + Number(value);
}

}  // namespace

std::vector<PromisedRatio> RatiosOf(const Measurements& measurements) {
  std::vector<PromisedRatio> ratios;
  for (const Definition& definition : kDefinitions) {
    const auto figure = definition.of_least
                            ? measurements.LeastRatio(definition.above, definition.below)
                            : measurements.Ratio(definition.above, definition.below);
    if (figure) ratios.push_back({definition.name, *figure, definition.limit, definition.at_least});
  }
  AddSmallQueues(measurements, &ratios);
  const auto scaling = CancelScaling(measurements);
  if (scaling) ratios.push_back({kCancelScaling, *scaling, 0.8, kAtLeast});
  return ratios;
}

std::vector<std::string> NotMeasured(const std::vector<PromisedRatio>& ratios) {
  std::vector<std::string> names;
  for (const Definition& definition : kDefinitions) {
    if (definition.limit != 0) names.emplace_back(definition.name);
  }
  for (const char* what : kSmallKinds) {
    for (int depth : kSmallDepths) names.push_back(SmallRatioName(what, depth));
  }
  names.emplace_back(kCancelScaling);
  for (const PromisedRatio& ratio : ratios) {
    names.erase(std::remove(names.begin(), names.end(), ratio.name), names.end());
  }
  return names;
}

std::string RatiosAsText(const std::vector<PromisedRatio>& ratios) {
  std::string text;
  char line[160];
  for (const PromisedRatio& ratio : ratios) {
    std::snprintf(line, sizeof(line), "%-36s %9s  +- %4.1f %%", ratio.name.c_str(),
                  Number(ratio.figure.value).c_str(), 100 * ratio.figure.noise);
    text += line;
    if (ratio.limit != 0) {
      std::snprintf(line, sizeof(line), "   %s %-5s %s", ratio.at_least ? "at least" : "at most ",
                    Number(ratio.limit).c_str(), ratio.Kept() ? "kept" : "NOT KEPT");
      text += line;
    }
    text += '\n';
  }
  return text;
}

std::string RatiosAsJson(const std::vector<PromisedRatio>& ratios,
                         const Measurements& measurements) {
  std::string values;
  std::string noise;
  std::string limits;
  std::string costs;
  for (const PromisedRatio& ratio : ratios) {
    AddMember(ratio.name, ratio.figure.value, &values);
    AddMember(ratio.name, ratio.figure.noise, &noise);
    if (ratio.limit != 0) AddMember(ratio.name, ratio.limit, &limits);
  }
  for (const auto& [name, rounds] : measurements.costs()) {
    AddMember(name, measurements.Cost(name)->value, &costs);
  }
  return "{\n  \"ratios\": {" + values + "\n  },\n  \"noise\": {" + noise +
         "\n  },\n  \"limits\": {" + limits + "\n  },\n  \"nanoseconds\": {" + costs + "\n  }\n}\n";
}

}  // namespace cancelsafe
