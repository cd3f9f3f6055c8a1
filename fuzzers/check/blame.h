// The lines to blame for a cause, from what is known of its findings: where a rule was seen to be
// broken, where the implementation departs from the reference, and what goes together with the
// failure. Pure functions of values.
#ifndef CANCELSAFE_FUZZERS_CHECK_BLAME_H_
#define CANCELSAFE_FUZZERS_CHECK_BLAME_H_

#include <cstdint>
#include <set>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/place_lines.h"

namespace cancelsafe {

// Where a difference begins, to tell whether two findings have it in common; 0 for nowhere.
uint64_t BeginOf(const Difference& difference);

struct Blame {
  std::vector<SourceLine> lines;  // best first; none if that is not known
  bool missing = false;           // what is wrong is that something is not done there
};

// The lines where this finding departs from the reference. Of several differences, the first that
// does not begin in one of `elsewhere` (what other causes depart in too), or else the first.
// `seen`: where the rule was seen to be broken, or nothing; a difference there is the one.
Blame BlameDifference(const CheckFinding& finding, const std::vector<SourceLine>& seen,
                      const std::set<uint64_t>& elsewhere, const PlaceLines& places);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_BLAME_H_
