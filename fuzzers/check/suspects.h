// Counts what code of an implementation runs in a failing program and in those around it:
// the numbers of a spectrum (spectrum.h). What statistics make of them is a guess, and
// called one wherever it is shown.
#ifndef CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_
#define CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt_board.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Runs `runs` programs around `program` and counts, in board->traced, what happened in those
// that pass and in failing ones for which `same` says that they are this failure. What fails
// otherwise counts for neither side, nor does what takes the process down: called again with
// the same board, it goes on behind that. For an implementation whose code is traced
// (traced_code.h), in a process that may be lost. Deterministic.
void FindSuspects(Runner* runner, const Program& program, uint64_t seed, int runs,
                  const std::function<bool(const Program&)>& same, HuntBoard* board);

// The two places that the verdict of a data race names.
std::vector<SourceLine> LinesOfRace(const std::string& reason);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_SUSPECTS_H_
