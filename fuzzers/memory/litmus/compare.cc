// See compare.h.
#include "fuzzers/memory/litmus/compare.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace cancelsafe::litmus {
namespace {

using memory::Model;

Comparison CompareWith(const Expectation& expectation, bool races_expected, const Result& result) {
  Comparison comparison;
  std::set_difference(expectation.outcomes.begin(), expectation.outcomes.end(),
                      result.outcomes.begin(), result.outcomes.end(),
                      std::back_inserter(comparison.missing));
  std::set_difference(result.outcomes.begin(), result.outcomes.end(), expectation.outcomes.begin(),
                      expectation.outcomes.end(), std::back_inserter(comparison.surplus));
  comparison.expected_race = races_expected;
  comparison.race_differs = result.races != races_expected;
  comparison.as_expected = comparison.missing.empty() && comparison.surplus.empty() &&
                           !comparison.race_differs && !result.bounded;
  return comparison;
}

}  // namespace

Comparison Compare(const Case& test, Model model, const Result& result) {
  const Expectation& expectation = test.expected[static_cast<int>(model)];
  if (model == Model::kSc) return CompareWith(expectation, expectation.races, result);
  if (model == Model::kTso) {
    const bool must = test.expected[static_cast<int>(Model::kSc)].races;
    const bool may = test.rc11_machine.races;
    return CompareWith(expectation, must || (may && result.races), result);
  }
  Comparison comparison = CompareWith(expectation, expectation.races, result);
  if (comparison.as_expected || !test.has_rc11_machine) return comparison;
  comparison = CompareWith(test.rc11_machine, test.rc11_machine.races, result);
  comparison.as_machine = comparison.as_expected;
  return comparison;
}

std::string Describe(const Comparison& comparison, const Result& result) {
  std::string text;
  for (const Outcome& outcome : comparison.missing) {
    absl::StrAppend(&text, "  missing  ", ToString(outcome), "\n");
  }
  for (const Outcome& outcome : comparison.surplus) {
    absl::StrAppend(&text, "  surplus  ", ToString(outcome), "\n");
  }
  if (comparison.race_differs) {
    absl::StrAppend(&text, "  race     ",
                    comparison.expected_race ? "expected, not" : "not expected, but", " found\n");
  }
  if (result.bounded) {
    absl::StrAppend(&text, "  bounded: not all executions were run, so this is not a verdict\n");
  }
  return text;
}

}  // namespace cancelsafe::litmus
