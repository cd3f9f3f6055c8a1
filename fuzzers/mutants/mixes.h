// Known mistakes for the reference implementation, several of which fit into it at once: by
// them check is measured. mixes.json has them.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_MIXES_H_
#define CANCELSAFE_FUZZERS_MUTANTS_MIXES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cancelsafe {

struct Mistake {
  std::string id;
  std::string file;  // of impl/reference
  std::string find;
  std::string replace;
};

struct Mix {
  std::string name;
  std::vector<Mistake> mistakes;
};

// Every source of the reference implementation that a mistake may be in.
std::vector<std::string> MixedFiles();

// Reads mixes.json of the tree; errors name what is wrong with it.
absl::StatusOr<std::vector<Mistake>> LoadMistakes(const std::string& tree);
absl::StatusOr<std::vector<Mix>> LoadMixes(const std::string& tree);
// Of those, the ones with these names, in this order; the error names one that there is not.
absl::StatusOr<std::vector<Mistake>> ChooseMistakes(const std::vector<Mistake>& all,
                                                    const std::vector<std::string>& ids);

// Writes these files of impl/reference, with the mistakes, to `folder`. The error names a
// mistake that does not fit.
absl::Status WriteMixedSources(const std::string& tree, const std::vector<Mistake>& mistakes,
                               const std::vector<std::string>& files, const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_MIXES_H_
