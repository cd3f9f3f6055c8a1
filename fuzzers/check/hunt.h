// One part of a check: one variant of the implementation and one family, attacked with
// seeds, mutated and generated programs until the budget is used up. A failure does not end
// it: each is made small, its place looked for, and the search goes on behind it, in further
// rounds, with the routines exchanged that have mistakes, or else without the rules that were
// broken most visibly. For a process of its own, in the build that the variant needs.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fuzzers/check/exchange.h"
#include "fuzzers/check/finding.h"
#include "impl/implementation.h"

namespace cancelsafe {

struct HuntPlan {
  std::string variant;
  std::string implementation;  // path
  std::string family;
  std::string seeds;  // folder of readable programs, or ""
  bool access_points = false;
  bool strict = false;
  int64_t programs = 20000;  // of each round
  // Nothing was found: it goes on until its time is over.
  bool goes_on = false;
  // Without a finding. All rounds of one with findings may take twice as long; a round that is
  // ended by that is counted.
  double seconds = 60;
  int rounds = 5;
  uint64_t seed = 1;
  std::vector<std::string> known;   // keys of findings that need not be found again
  std::vector<std::string> ignore;  // rules and clauses
  ExchangePlan exchange;            // may have no routines
  // Routines with mistakes that are known, and the clauses that each breaks.
  std::map<std::string, std::vector<std::string>> guilty;
};

// A hunt with findings takes so many times its plan's seconds at most.
inline constexpr double kHuntShareMax = 2;

struct HuntCounts {
  int64_t programs = 0;
  int64_t runs = 0;
  int64_t unknown = 0;
  int64_t cut_rounds = 0;  // ended by time, after a finding
  // Violations and processes that ended, of the implementation as it is, which did not happen
  // again when their program was run alone: it keeps something from one program to the next.
  int64_t unconfirmed = 0;
};

// What a verdict is left out by; "" for what cannot be left out without half of all there is:
// races, losses, crashes.
std::string LeftOutBy(const Verdict& verdict);

// Calls `found` for each finding. Throws a SetupError if the family cannot be set up.
HuntCounts Hunt(const HuntPlan& plan, const Implementation& implementation,
                const std::function<void(const CheckFinding&)>& found);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_H_
