// Which code of an implementation goes together with a failure: statistics over programs
// like the one that fails. Blocks that run in failing programs and not in others come first
// (Ochiai's coefficient). A guess, and called one wherever it is shown.
#ifndef CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_
#define CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt_board.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Runs `runs` programs around `program` and writes the blocks that go together best with
// failures for which `same` says that they are this one to board->suspects. Of blocks that
// do so equally well, those that ran in the call of the verdict come first. What fails
// otherwise counts for neither side. For an implementation whose code is traced
// (traced_code.h), in a process that may be lost. Deterministic.
void FindSuspects(Runner* runner, const Program& program, uint64_t seed, int runs,
                  const std::function<bool()>& same, HuntBoard* board);

// The two places that the verdict of a data race names.
std::vector<SourceLine> LinesOfRace(const std::string& reason);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_
