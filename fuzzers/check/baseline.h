// The causes that are known already, as a file that people keep beside their sources: one
// identity a line. Knows no findings.
#ifndef CANCELSAFE_FUZZERS_CHECK_BASELINE_H_
#define CANCELSAFE_FUZZERS_CHECK_BASELINE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace cancelsafe {

// Identities, without blank lines and those that begin with '#'.
std::vector<std::string> ParseBaseline(absl::string_view text);
std::string PrintBaseline(std::vector<std::string> identities);

struct BaselineDifference {
  std::vector<bool> known;        // for each cause of now
  std::vector<std::string> gone;  // of the baseline, and not there now
  // Nothing is new and nothing gone.
  bool same() const;
};

// Each identity of the baseline stands for one cause.
BaselineDifference CompareWithBaseline(const std::vector<std::string>& baseline,
                                       const std::vector<std::string>& now);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_BASELINE_H_
