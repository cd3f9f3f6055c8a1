// A run as a picture, without its looks: everything that is drawn, with its lane
// and its row, as JSON. The page and the Chrome trace are made of it.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_SCENE_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_SCENE_H_

#include <nlohmann/json.hpp>

#include "fuzzers/explain/observation.h"

namespace cancelsafe {

// Rows count from 0, one for each call, return, callback, switch and wait; what lies
// between two of them has a half. Members:
//   title, verdict, reason, ok, counts, program, fibers, rows, evidence[]
//   calls[]:   fiber, depth, from, to, text, outcome, routine, details[], guilty,
//              drained, order (place in the linearization from 1, or 0), effect
//   events[]:  fiber, depth, row, text, details[], guilty
//   marks[]:   fiber, row, kind ("switch", "wait", "stale"), text
//   locks[]:   fiber, from, to, name, kept
//   irql[]:    fiber, from, to, level
//   arrows[]:  from_fiber, from, to_fiber, to, by
//   race:      null, or fiber and row of the later access
//   lanes[]:   names of the fibers, where they are not "fiber N"
nlohmann::json SceneOf(const Observation& observation, const std::string& title);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_SCENE_H_
