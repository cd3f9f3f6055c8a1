// Attacks the reference implementation with several mistakes in it at once by `check`: its list
// should have one cause for each mistake, with a small program that replays and the line that is
// wrong. Judges the list by taking the mistakes out one by one; knows no engine.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_
#define CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_

#include <string>
#include <vector>

#include "fuzzers/mutants/checked_mix.h"
#include "fuzzers/mutants/mixes.h"

namespace cancelsafe {

struct CheckPlan {
  std::string program;             // the front door, or what stands in for it
  std::string tree;                // has impl/reference
  std::vector<std::string> flags;  // of check, beside the report and the sources
  std::string work;                // a folder
  int replays = 20;                // of each printed command, each in a process of its own
};

CheckedMix CheckMix(const Mix& mix, const CheckPlan& plan);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_
