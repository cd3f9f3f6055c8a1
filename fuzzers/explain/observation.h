// One run with everything that is needed to explain it: the history, the verdict,
// and what happened between the recorded steps: preemption points, locks, IRQL and
// the orderings that synchronisation made. Every form of explanation (table, page,
// trace) is drawn from this. Cold.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_OBSERVATION_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_OBSERVATION_H_

#include <map>
#include <string>
#include <vector>

#include "fuzzers/program/program.h"
#include "fuzzers/run/race.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// A place in a run: between two recorded steps of the history, in the order in
// which points were passed. Comparable.
struct Moment {
  uint32_t sequence = 0;  // of the last call, return or callback before it
  int point = 0;          // points passed before it
  friend bool operator<(const Moment& a, const Moment& b) {
    return a.sequence != b.sequence ? a.sequence < b.sequence : a.point < b.point;
  }
};

// A preemption point that a fiber reached.
struct PassedPoint {
  Moment moment;
  int fiber = 0;
  uint8_t kind = 0;     // 1 + KiPoint
  uint16_t object = 0;  // number within the run
  bool blocked = false;
  bool ended = false;  // the fiber has ended here; `kind` and `object` mean nothing
  int step = -1;       // number of the decision made here, or -1 if there was none
  int next = 0;        // the fiber that went on
  uint8_t irql = 0;
  uint8_t enabled = 0;
};

struct LockSpan {
  int fiber = 0;
  uint16_t object = 0;  // as in PassedPoint
  std::string name;     // "queue lock", "cancel lock"
  Moment taken;
  Moment given;
  bool given_back = false;  // else held when the run ended
};

// What one fiber did before `from` happens before what another does after `to`.
struct Ordering {
  int from_fiber = 0;
  int to_fiber = 0;
  Moment from;
  Moment to;
  std::string by;  // "queue lock", "interlocked operation"
};

// Something that was read or stored otherwise than sequential consistency would.
struct SeenDeviation {
  Moment moment;
  int fiber = 0;
  std::string text;  // without the fiber
};

struct Observation {
  Program program;  // with the executed schedule as choices
  History history;
  Verdict verdict;
  schedule::RunResult result;
  Race race;
  Moment race_seen;  // the first point after it
  int executed_operations = 0;
  std::vector<PassedPoint> points;
  std::vector<LockSpan> locks;
  std::map<uint16_t, std::string> lock_names;  // of every lock that was waited for
  std::vector<Ordering> orderings;
  std::vector<SeenDeviation> deviations;
  std::vector<bool> drained;  // per call: made to empty the queue at the end
  // The verdict came from elsewhere, or the run looked at closely took another
  // course (which is a defect of this program): points, locks and orderings are empty.
  bool closely = false;
};

// Runs the program (choices only, as from Runner::Executed) twice: once as ever,
// once looking closely.
Observation Observe(Runner* runner, const Program& program);

// Preemptions: decisions that left a fiber which could have gone on.
int Preemptions(const Observation& observation);

// What a fiber was about to do at a point: "taking the queue lock", "an interlocked
// operation".
std::string DescribePoint(const Observation& observation, const PassedPoint& point);
// Likewise of a kind of point, which is 1 + KiPoint or that of a start; `lock` names what is
// taken.
std::string DescribePointKind(uint8_t kind, const std::string& lock);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_OBSERVATION_H_
