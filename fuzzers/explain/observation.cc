// See observation.h.
#include "fuzzers/explain/observation.h"

#include "absl/strings/str_cat.h"
#include "fuzzers/explain/witness.h"

namespace cancelsafe {
namespace {

// Positions in the history of the calls that emptied the queue: what is left of a
// fiber's outermost calls when its operations are used up.
std::vector<bool> DrainedCalls(const Program& program, const History& history, int* executed) {
  std::vector<bool> drained(history.call_count, false);
  int next[kMaxFibers] = {};
  *executed = 0;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    if (call.parent != kNoCall) {
      drained[i] = drained[call.parent];
      continue;
    }
    int& at = next[call.fiber];
    int found = at;
    while (found < program.operation_count && (program.fiber_of[found] != call.fiber ||
                                               !(program.operations[found] == call.operation))) {
      ++found;
    }
    drained[i] = found == program.operation_count;
    if (drained[i]) continue;
    at = found + 1;
    ++*executed;
  }
  return drained;
}

}  // namespace

Observation Observe(Runner* runner, const Program& program) {
  Observation observation;
  observation.program = program;
  schedule::RunOptions options;
  options.fresh_records = true;
  runner->Run(program, options);
  observation.history = runner->history();
  observation.verdict = runner->output().verdict;
  observation.result = runner->output().schedule;
  observation.race = LastRace();
  observation.drained =
      DrainedCalls(program, observation.history, &observation.executed_operations);

  Witness witness(runner->history());
  runner->RunWith(&witness, program, options);
  if (runner->output().schedule.digest == observation.result.digest &&
      runner->history().sequence == observation.history.sequence) {
    witness.Finish(&observation);
    for (const NotedDeviation& noted : runner->deviations()) {
      const memory::Deviation& deviation = noted.deviation;
      const Moment moment = {noted.sequence, witness.PointsBefore(deviation.number)};
      observation.deviations.push_back(
          {moment, deviation.fiber,
           DescribeDeviation(deviation, runner->NameOf(deviation.address),
                             witness.StepBefore(deviation.newest_number))});
    }
    observation.closely = true;
  }
  return observation;
}

int Preemptions(const Observation& observation) { return observation.result.preemptions; }

std::string DescribePoint(const Observation& observation, const PassedPoint& point) {
  const auto name = observation.lock_names.find(point.object);
  const std::string lock = name == observation.lock_names.end() ? "lock" : name->second;
  if (point.ended) return "its end";
  if (point.blocked && point.kind == kPointAcquire + 1) return "waiting for the " + lock;
  return DescribePointKind(point.kind, lock);
}

std::string DescribePointKind(uint8_t kind, const std::string& lock) {
  if (kind == schedule::kStartKind) return "its start";
  switch (static_cast<KiPoint>(kind - 1)) {
    case kPointAcquire:
      return absl::StrCat("taking the ", lock);
    case kPointRelease:
      return "what follows giving back a lock";
    case kPointInterlocked:
      return "an interlocked operation";
    case kPointIrql:
      return "changing the IRQL";
    case kPointCallbackEnter:
      return "a callback";
    case kPointCallbackExit:
      return "the callback's return";
    case kPointAccess:
      return "a memory access";
    case kPointYield:
      return "waiting for another fiber";
    case kPointCall:
      return "the next call";
  }
  return "its next step";
}

}  // namespace cancelsafe
