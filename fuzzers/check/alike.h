// Whether two findings go back to one mistake, and how sure that is. Pure functions of values;
// which findings stand together is decided in causes.h.
#ifndef CANCELSAFE_FUZZERS_CHECK_ALIKE_H_
#define CANCELSAFE_FUZZERS_CHECK_ALIKE_H_

#include <string>
#include <vector>

#include "fuzzers/check/finding.h"

namespace cancelsafe {

// How well a finding that may be a root explains another; the best explanation wins.
enum Strength {
  kNot,
  kContained,
  kSameRule,
  kSameSuspect,
  kSameRoutine,
  kSameRoutineAndSuspect,
  kSamePlace
};
Strength Explains(const CheckFinding& root, const CheckFinding& finding);

// Two mistakes in one routine have their own places.
bool AreApart(const CheckFinding& a, const CheckFinding& b);

// Whether a verdict may be the consequence of a mistake that is elsewhere: a loss, a double
// ending, an order of calls, what a drained queue looks like. What a callback is given and
// how a lock is held is wrong where it is seen.
bool IsConsequence(const Verdict& verdict);

// The run took its process along, which any damage may do.
bool IsLoss(const Verdict& verdict);
bool IsRace(const CheckFinding& finding);

// Whether the mistake may be in this function: not in a documented routine, if it goes away
// with another.
bool MayBeIn(const std::string& function, const CheckFinding& finding);
// Whether it is wrong where it was seen.
bool IsSeenThere(const CheckFinding& finding);

// Whether both lines are of one statement, about.
bool Near(const SourceLine& a, const SourceLine& b);
bool Meet(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_ALIKE_H_
