// How a hunt runs programs: a runner for the plan, a child that may be lost, and what a
// verdict is as a finding. Decides nothing about what is looked for.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_RUNS_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_RUNS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt.h"
#include "fuzzers/run/runner.h"
#include "impl/implementation.h"

namespace cancelsafe {

// A child of a hunt that hangs without a preemption point is killed after so long.
inline constexpr double kHuntChildSecondsMax = 30;
// An implementation that takes its process down in every run would do nothing else.
inline constexpr int kHuntDeathsMax = 60;

// With the rules and clauses in `ignored` left out. Throws a SetupError if the
// implementation has too few routines for the plan's family.
std::unique_ptr<Runner> NewHuntRunner(const HuntPlan& plan, const Implementation& implementation,
                                      const std::vector<std::string>& ignored);

// Runs `body` in a child that prints nothing. False if it did not come to its end within
// `seconds`. Throws a SetupError if there can be no child.
bool RunHuntChild(const std::function<void()>& body, double seconds);

CheckFinding FindingOf(const Verdict& verdict, const std::string& routine);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_RUNS_H_
