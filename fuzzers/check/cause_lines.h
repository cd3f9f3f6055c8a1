// The lines that a cause names: where the mistake is likely to be, best first. Knows one cause
// at a time; which findings it is made of is decided in causes.h.
#ifndef CANCELSAFE_FUZZERS_CHECK_CAUSE_LINES_H_
#define CANCELSAFE_FUZZERS_CHECK_CAUSE_LINES_H_

#include <cstdint>
#include <set>

#include "fuzzers/check/causes.h"
#include "fuzzers/check/place_lines.h"

namespace cancelsafe {

// Of the two places of a race, the one that more races of the cause share comes first.
void OrderPlacesOfRaces(Cause* cause);

// Where it departs from the reference comes first, then what all of its findings suspect, then
// where it was seen. `elsewhere`: where other causes depart.
void TakeSuspects(const PlaceLines& places, const std::set<uint64_t>& elsewhere, Cause* cause);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CAUSE_LINES_H_
