#include "fuzzers/schedule/explore.h"

#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

Explorer::Explorer(const ExploreOptions& options)
    : options_(options), path_(static_cast<std::size_t>(options.max_points)) {}

bool Explorer::Dependent(const Footprint& a, const Footprint& b) {
  return (a.writes & (b.reads | b.writes)) != 0 || (b.writes & a.reads) != 0;
}

Explorer::Footprint Explorer::FootprintOf(const PendingEvent& event) const {
  Footprint footprint;
  if (event.kind == kStartKind) return footprint;
  const bool reads = (options_.reading_kinds[event.kind >> 6] >> (event.kind & 63) & 1) != 0;
  if (event.object == 0) {
    footprint.writes = ~uint64_t{0};
  } else {
    (reads ? footprint.reads : footprint.writes) = uint64_t{1} << (event.object & 63);
  }
  return footprint;
}

bool Explorer::Next() {
  if (end_ != ExploreEnd::kRunning) return false;
  // Back to the last place with a choice left.
  while (ran_ && length_ > 0) {
    Node& node = path_[length_ - 1];
    node.todo &= static_cast<uint8_t>(~(1 << node.chosen));
    if (node.todo != 0) {
      const bool free_of_charge = options_.preemptions < 0 || node.chosen == node.current;
      if (options_.reduce && free_of_charge)
        node.sleeping |= static_cast<uint8_t>(1 << node.chosen);
      node.chosen = static_cast<int8_t>(LowestOf(node.todo));
      break;
    }
    --length_;
  }
  if (ran_ && length_ == 0) {
    end_ = ExploreEnd::kComplete;
  } else if (runs_ + pruned_runs_ >= options_.max_runs) {
    end_ = ExploreEnd::kOutOfRuns;
  }
  prune_ = false;
  return end_ == ExploreEnd::kRunning;
}

void Explorer::Start(const Schedule&, int, const uint16_t*) { depth_ = 0; }

int Explorer::Pick(const Decision& decision) {
  if (depth_ < length_) {
    if (!Repeats(decision)) return GiveUp(ExploreEnd::kNondeterministic);
  } else {
    if (length_ == path_.size()) return GiveUp(ExploreEnd::kRunTooLong);
    if (!Extend(decision)) return GiveUp(ExploreEnd::kRunning);
  }
  return path_[depth_++].chosen;
}

int Explorer::GiveUp(ExploreEnd why) {
  end_ = why;
  prune_ = true;
  return -1;
}

bool Explorer::Repeats(const Decision& decision) const {
  const Node& node = path_[depth_];
  const bool goes_on = decision.current >= 0 && Contains(decision.enabled, decision.current);
  return node.enabled == decision.enabled && node.current == (goes_on ? decision.current : -1);
}

// Adds the node of a place that no run has reached before, and makes the first
// choice there: the default, if it may be chosen. False if nothing may.
bool Explorer::Extend(const Decision& decision) {
  Node& node = path_[length_];
  const bool goes_on = decision.current >= 0 && Contains(decision.enabled, decision.current);
  node.enabled = decision.enabled;
  node.current = static_cast<int8_t>(goes_on ? decision.current : -1);
  node.sleeping = 0;
  node.used = 0;
  for (int f = 0; f < decision.fibers; ++f) node.event[f] = FootprintOf(decision.pending[f]);
  if (length_ > 0) {
    Node& before = path_[length_ - 1];
    Footprint& done = before.event[before.chosen];
    done.writes |= decision.touched;
    node.used = before.used + Cost(before, before.chosen);
    for (uint32_t rest = before.sleeping & ~(1u << before.chosen); rest != 0; rest &= rest - 1) {
      const int sleeper = LowestOf(rest);
      if (Dependent(before.event[sleeper], done)) continue;
      node.sleeping |= static_cast<uint8_t>(1 << sleeper);
      // Its event was executed in an earlier run, so all that it touches is known.
      node.event[sleeper] = before.event[sleeper];
    }
  }
  node.todo = node.enabled & static_cast<uint8_t>(~node.sleeping);
  if (node.current >= 0 && options_.preemptions >= 0 && node.used >= options_.preemptions) {
    node.todo &= static_cast<uint8_t>(1 << node.current);
  }
  if (node.todo == 0) return false;
  node.chosen = static_cast<int8_t>(
      Contains(node.todo, decision.default_fiber) ? decision.default_fiber : LowestOf(node.todo));
  ++length_;
  return true;
}

void Explorer::Finished(const RunResult& result) {
  ran_ = true;
  if (prune_) {
    if (end_ == ExploreEnd::kRunning) ++pruned_runs_;
    return;
  }
  ++runs_;
  if (depth_ < length_) {
    end_ = ExploreEnd::kNondeterministic;
    return;
  }
  // What the event that ended the run did is not known.
  if (result.status != RunStatus::kDone && length_ > 0) {
    Node& last = path_[length_ - 1];
    last.event[last.chosen].writes = ~uint64_t{0};
  }
}

}  // namespace cancelsafe::schedule
