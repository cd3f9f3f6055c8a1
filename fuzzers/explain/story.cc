// See story.h.
#include "fuzzers/explain/story.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/timeline.h"

namespace cancelsafe {
namespace {

std::string Fibers(uint8_t mask) {
  std::vector<int> numbers;
  for (int f = 0; f < kMaxFibers; ++f) {
    if ((mask >> f & 1) != 0) numbers.push_back(f);
  }
  return absl::StrCat(numbers.size() == 1 ? "fiber " : "fibers ", absl::StrJoin(numbers, ", "));
}

bool IsChosen(const Program& program, int step) {
  for (int i = 0; i < program.schedule.choice_count; ++i) {
    if (program.schedule.choices[i].step == step) return true;
  }
  return false;
}

// What the fiber waits for, and whose it is.
std::string AwaitedLock(const Observation& observation, const PassedPoint& point) {
  const auto name = observation.lock_names.find(point.object);
  std::string text = name == observation.lock_names.end() ? "a lock" : "the " + name->second;
  for (const LockSpan& span : observation.locks) {
    if (span.object != point.object || span.fiber == point.fiber || point.moment < span.taken ||
        !(point.moment < span.given)) {
      continue;
    }
    return absl::StrCat(text, " of fiber ", span.fiber);
  }
  return text;
}

int LocksAt(const Observation& observation, const PassedPoint& point) {
  int locks = 0;
  for (const LockSpan& span : observation.locks) {
    if (span.fiber != point.fiber || !(span.taken < point.moment) || !(point.moment < span.given)) {
      continue;
    }
    locks |= span.name == "cancel lock" ? TimelineMark::kCancelLock : TimelineMark::kQueueLock;
  }
  return locks;
}

std::string Who(int fiber, const char* otherwise) {
  return fiber < 0 ? otherwise : absl::StrCat("fiber ", fiber);
}

// TSan's first access is the one that found the other.
std::vector<std::string> MissingOrdering(const Observation& observation) {
  const RaceAccess& late = observation.race.access[0];
  const RaceAccess& early = observation.race.access[1];
  const std::string first = Who(early.fiber, "one fiber");
  const std::string second = Who(late.fiber, "another");
  std::vector<std::string> lines;
  const Ordering* last = nullptr;
  for (const Ordering& ordering : observation.orderings) {
    if (ordering.from_fiber == early.fiber && ordering.to_fiber == late.fiber) last = &ordering;
  }
  lines.push_back(absl::StrCat("missing: an ordering of what ", first, " did before what ", second,
                               " did; they did not hold one lock at their accesses, and nothing "
                               "handed over from ",
                               first, " to ", second, " in between"));
  if (early.fiber < 0 || late.fiber < 0) return lines;
  if (last == nullptr) {
    lines.push_back(absl::StrCat("no lock or interlocked operation orders anything of ", first,
                                 " before anything of ", second, " in this run"));
  } else {
    lines.push_back(absl::StrCat("the last ordering from ", first, " to ", second,
                                 " in this run is made by the ", last->by,
                                 "; an access that it covers would not race"));
  }
  if (early.atomic != late.atomic) {
    lines.push_back("one of the two is atomic: both have to be, or a lock has to guard both");
  }
  return lines;
}

}  // namespace

std::string VerdictLineOf(const Observation& observation) {
  return absl::StrCat(VerdictLine(observation.verdict), " [",
                      Counted(observation.program.operation_count, "operation"), ", ",
                      Counted(observation.program.fibers, "fiber"), ", ",
                      Counted(Preemptions(observation), "preemption"), "]");
}

std::vector<Mark> MarksOf(const Observation& observation) {
  std::vector<Mark> marks;
  for (const PassedPoint& point : observation.points) {
    Mark mark;
    mark.moment = point.moment;
    mark.fiber = point.fiber;
    mark.irql = point.irql;
    mark.locks = LocksAt(observation, point);
    const bool switched = point.next != point.fiber;
    if (point.blocked) {
      mark.text = absl::StrCat("~ waits for ", AwaitedLock(observation, point));
    } else if (!point.ended && switched) {
      mark.text = absl::StrCat("> step ", point.step, ": preempted before ",
                               DescribePoint(observation, point));
    } else if (point.ended && IsChosen(observation.program, point.step)) {
      mark.text = absl::StrCat("> step ", point.step, ": ended, fiber ", point.next, " is next");
    } else {
      continue;
    }
    // A waiting fiber looks again each time that another one wakes it.
    const bool again = std::any_of(marks.begin(), marks.end(), [&](const Mark& other) {
      return other.fiber == mark.fiber && other.text == mark.text &&
             other.moment.sequence == mark.moment.sequence;
    });
    if (again) continue;
    marks.push_back(std::move(mark));
  }
  for (const SeenDeviation& seen : observation.deviations) {
    Mark mark;
    mark.moment = seen.moment;
    mark.fiber = seen.fiber;
    mark.irql = -1;
    mark.locks = -1;
    mark.text = absl::StrCat("! ", seen.text);
    const auto after = std::find_if(marks.begin(), marks.end(), [&](const Mark& other) {
      return !(other.moment < mark.moment);
    });
    marks.insert(after, std::move(mark));
  }
  return marks;
}

std::string TableOf(const Observation& observation) {
  TimelineOptions options;
  for (const Mark& mark : MarksOf(observation)) {
    options.marks.push_back({mark.moment.sequence, mark.fiber, mark.text, mark.irql, mark.locks});
  }
  options.drained = observation.drained;
  return Timeline(observation.history, options);
}

std::vector<std::string> EvidenceOf(const Observation& observation) {
  std::vector<std::string> lines = observation.verdict.evidence;
  if (observation.verdict.kind == VerdictKind::kDataRace && observation.race.found) {
    for (int i = 0; i < 2 && i < static_cast<int>(lines.size()); ++i) {
      const int fiber = observation.race.access[i].fiber;
      if (fiber >= 0) absl::StrAppend(&lines[i], " (fiber ", fiber, i == 0 ? ", later)" : ")");
    }
    for (std::string& line : MissingOrdering(observation)) lines.push_back(std::move(line));
  }
  return lines;
}

std::string StoryOf(const Observation& observation) {
  std::string story = absl::StrCat(
      TableOf(observation),
      "Each entry begins with the IRQL; Q: holds the queue lock, C: holds the cancel lock.\n");
  const std::vector<std::string> evidence = EvidenceOf(observation);
  if (!evidence.empty()) absl::StrAppend(&story, "\n", absl::StrJoin(evidence, "\n"), "\n");
  return story;
}

std::string Divergence(Runner* runner, const Program& program) {
  const schedule::Schedule& schedule = program.schedule;
  if (schedule.kind != schedule::Kind::kChoices || schedule.choice_count == 0) return "";
  if (program.fibers == 1) return "";
  std::vector<uint8_t> trace(32 * 1024);
  schedule::RunOptions options;
  options.fresh_records = true;
  options.trace = trace.data();
  options.trace_capacity = static_cast<int>(trace.size());
  runner->Run(program, options);
  const schedule::RunResult& result = runner->output().schedule;
  for (int i = 0; i < schedule.choice_count; ++i) {
    const schedule::Choice choice = schedule.choices[i];
    if (choice.step >= result.decisions) {
      return absl::StrCat("diverged at step ", choice.step, ": the file switches to fiber ",
                          choice.fiber, " there, but the run made only ",
                          Counted(result.decisions, "decision"));
    }
    if (choice.step < trace.size() &&
        (schedule::TraceEnabled(trace[choice.step]) >> choice.fiber & 1) == 0) {
      return absl::StrCat("diverged at step ", choice.step, ": the file switches to fiber ",
                          choice.fiber, ", but only ",
                          Fibers(schedule::TraceEnabled(trace[choice.step])), " could run");
    }
  }
  return "";
}

}  // namespace cancelsafe
