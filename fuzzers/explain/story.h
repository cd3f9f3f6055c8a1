// What happened in a run, told in text: the verdict, the table with one column per
// fiber, what was allowed and what was seen, and for a data race which ordering is
// missing.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_STORY_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_STORY_H_

#include <string>
#include <vector>

#include "fuzzers/explain/observation.h"

namespace cancelsafe {

// "VERDICT lost-item CSQ-INV-01 (lost): ... [3 operations, 2 fibers, 1 preemption]".
std::string VerdictLineOf(const Observation& observation);

// A switch that matters ("> step 3: ..."), a wait ("~ waits for ..."), or what the memory
// model did ("! reads Cancel of item 0 = 0, ...").
struct Mark {
  Moment moment;
  int fiber = 0;
  int irql = 0;   // -1: as before
  int locks = 0;  // as in TimelineMark
  std::string text;
};
std::vector<Mark> MarksOf(const Observation& observation);

// The table, with the switches that matter marked in it. Ends with a line feed.
std::string TableOf(const Observation& observation);

// What was allowed and what was seen, one line each; empty where the verdict says
// it all.
std::vector<std::string> EvidenceOf(const Observation& observation);

// Everything below the verdict line. Ends with a line feed.
std::string StoryOf(const Observation& observation);

// Where the recorded schedule could not be followed, in words; "" if it could. Runs
// the program.
std::string Divergence(Runner* runner, const Program& program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_STORY_H_
