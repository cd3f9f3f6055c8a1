// Known mistakes for the reference implementation, several of which fit into it at once: by
// them check is measured. testdata/mixes.json has them.
#ifndef CANCELSAFE_FUZZERS_CHECK_MIXES_H_
#define CANCELSAFE_FUZZERS_CHECK_MIXES_H_

#include <string>
#include <vector>

namespace cancelsafe {

// Writes these files of impl/reference, with the mistakes of these names, to `folder`.
// Returns "", or what is wrong: a mistake that does not exist or does not fit.
std::string WriteMixedSources(const std::vector<std::string>& mistakes,
                              const std::vector<std::string>& files, const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_MIXES_H_
