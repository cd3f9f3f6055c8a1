// What came of the attacks: medians, and the three forms in which they are shown.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_TABLE_H_
#define CANCELSAFE_FUZZERS_MUTANTS_TABLE_H_

#include <string>
#include <vector>

#include "fuzzers/mutants/attack.h"
#include "fuzzers/mutants/mutant.h"

namespace cancelsafe {

struct MutantResult {
  Mutant mutant;
  std::string complaint;  // it could not be built or attacked; "" if it could
  AttackResult attack;
};

// Of all seeds of one mutant.
struct MutantSummary {
  bool caught = false;  // by more than half of the seeds
  int caught_seeds = 0;
  int wrong_seeds = 0;  // that ended with another kind of verdict
  // Of the seeds that caught it, as most of them did.
  bool sequential = false;
  Sanitizer sanitizer = Sanitizer::kThread;
  VerdictKind kind = VerdictKind::kPass;
  // Seeds that caught nothing count as slower than all others.
  double seconds_median = 0;
  double processor_median = 0;  // seconds of processor time
  uint64_t runs_median = 0;
  // The least of the flavours that the verdict belongs to, of `replays_tried`.
  int replays = 0;
  int replays_tried = 0;

  bool replays_always() const { return replays_tried > 0 && replays == replays_tried; }
};

MutantSummary Summarize(const MutantResult& result);

// One line per mutant, for a terminal; `width` columns for the ids.
std::string TableLine(const MutantResult& result, size_t width);

// What does not belong into a table: why mutants were not caught, wrong verdicts,
// replays that differ. Empty if all is well.
std::string Remarks(const std::vector<MutantResult>& results);

// A list of objects, one per mutant; the implementation as it is is left out.
std::string JsonOf(const std::vector<MutantResult>& results);

// `command` is what makes the table again.
std::string MarkdownOf(const std::vector<MutantResult>& results, const std::string& command);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_TABLE_H_
