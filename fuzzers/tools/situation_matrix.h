// The state x operation matrix of a corpus: which situations its files reach, and
// which ones, known to be possible, none of them does. Text only; runs nothing.
#ifndef CANCELSAFE_FUZZERS_TOOLS_SITUATION_MATRIX_H_
#define CANCELSAFE_FUZZERS_TOOLS_SITUATION_MATRIX_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "oracle/situation.h"

namespace cancelsafe {

class SituationMatrix {
 public:
  SituationMatrix(Family family, const std::vector<Situation>& met);

  // The situations known to be possible; those that were met are, in any case.
  void SetReachable(const std::vector<Situation>& reachable);

  // A row for each coarse state and a column for each operation of the family, with
  // "met/possible" situations in each cell, and a closing line with the sums.
  std::string Table() const;

  // A line for each possible situation that was not met.
  std::string NeverReached() const;

 private:
  using Pair = std::pair<uint32_t, Op>;

  Family family_;
  std::set<Pair> met_;
  std::set<Pair> reachable_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_SITUATION_MATRIX_H_
