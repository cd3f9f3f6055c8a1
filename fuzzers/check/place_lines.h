// Where places of a shared object are in its sources. Asks llvm-symbolizer once for all.
#ifndef CANCELSAFE_FUZZERS_CHECK_PLACE_LINES_H_
#define CANCELSAFE_FUZZERS_CHECK_PLACE_LINES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "fuzzers/check/finding.h"

namespace cancelsafe {

// Lines by place in the code (spectrum.h).
using PlaceLines = std::map<uint64_t, SourceLine>;

// Places without a line, and those in headers of the harness, are left out. Empty without a
// symbolizer.
PlaceLines FindPlaceLines(const std::string& shared_object, const std::set<uint64_t>& places);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_PLACE_LINES_H_
