// See complete.h.
#include "fuzzers/schedule/complete.h"

#include <algorithm>
#include <iterator>

#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {
namespace {

uint8_t BitOf(int fiber) { return static_cast<uint8_t>(1 << fiber); }

bool HasKind(const uint64_t (&kinds)[4], uint8_t kind) {
  return (kinds[kind >> 6] >> (kind & 63) & 1) != 0;
}

}  // namespace

CompleteExplorer::CompleteExplorer(const CompleteOptions& options)
    : options_(options),
      path_(static_cast<std::size_t>(options.max_points)),
      users_(ObjectTable::kMany + 1),
      writers_(ObjectTable::kMany + 1),
      ordering_(ObjectTable::kMany) {
  objects_.Clear();
  shared_.reserve(path_.size());
}

bool CompleteExplorer::Next() {
  if (end_ != ExploreEnd::kRunning) return false;
  again_ = false;
  cut_ = false;
  if (rerun_) {
    rerun_ = false;
    recorded_ = length_ - 1;
    return true;
  }
  // Back to the last place where another fiber has to be tried.
  while (ran_ && length_ > 0) {
    Step& step = path_[length_ - 1];
    if (step.alternatives != 0) {
      if (++step.taken < step.alternatives) break;
      --length_;
      continue;
    }
    step.sleeping |= BitOf(step.chosen);
    step.sleeper[step.chosen] = step.outcomes;
    step.outcomes.Clear();
    const uint8_t todo = step.backtrack & step.enabled & static_cast<uint8_t>(~step.sleeping);
    if (todo != 0) {
      step.chosen = static_cast<int8_t>(LowestOf(todo));
      break;
    }
    --length_;
  }
  if (ran_ && length_ == 0) {
    end_ = ExploreEnd::kComplete;
  } else if (runs_ + cut_runs_ >= options_.max_runs) {
    end_ = ExploreEnd::kOutOfRuns;
  }
  first_new_ = length_ == 0 ? 0 : length_ - 1;
  while (first_new_ > 0 && path_[first_new_].alternatives != 0) --first_new_;
  recorded_ = first_new_;
  return end_ == ExploreEnd::kRunning;
}

double CompleteExplorer::Done() const {
  if (end_ == ExploreEnd::kComplete) return 1;
  double done = 0, share = 1;
  for (std::size_t i = 0; i < length_; ++i) {
    const Step& step = path_[i];
    const uint8_t known = step.backtrack & step.enabled;
    const int all = step.alternatives != 0 ? step.alternatives : __builtin_popcount(known);
    const int tried =
        step.alternatives != 0 ? step.taken : __builtin_popcount(known & step.sleeping);
    if (all == 0) continue;
    done += share * tried / all;
    share /= all;
  }
  return done;
}

void CompleteExplorer::Start(const Schedule&, int fibers, const uint16_t*) {
  depth_ = 0;
  last_ = 0;
  fibers_ = fibers;
  touched_.Clear();
  ordering_.BeginRun();
  for (int f = 0; f < fibers; ++f) {
    path_of_[f] = calls_of_[f] = static_cast<uint64_t>(f);
    in_new_call_[f] = false;
  }
  part_is_loud_ = step_is_loud_ = trusting_ = mistaken_ = false;
}

bool CompleteExplorer::IsShared(const Footprint& footprint) const {
  bool shared = footprint.all();
  for (int o = 0; o < footprint.count() && !shared; ++o) {
    shared = ordering_.Orders(footprint.object(o));
  }
  return shared;
}

void CompleteExplorer::Touch(uint16_t object, uint8_t parts, bool writes) {
  if (options_.tight_calls) {
    ordering_.Note(object, path_[last_].chosen, parts, writes);
    if (!ordering_.Orders(object)) return;
    NoteLoud();
  }
  touched_.Add(object, parts, writes);
}

void CompleteExplorer::NoteLoud() {
  part_is_loud_ = step_is_loud_ = true;
  mistaken_ |= trusting_;
}

void CompleteExplorer::TouchAnnounced(const Footprint& footprint) {
  for (int o = 0; o < footprint.count(); ++o) {
    Touch(footprint.object(o), kAllParts, footprint.writes(o));
  }
  if (!footprint.all()) return;
  NoteLoud();
  touched_.AddAll();
}

void CompleteExplorer::OnTouch(const volatile void* object, uint8_t parts, bool writes) {
  Touch(objects_.Number(object), parts, writes);
}

void CompleteExplorer::OnBlock(const volatile void* object) {
  touched_.SetBlocked(objects_.Number(object));
}

void CompleteExplorer::OnCall(bool begins) {
  if (begins) {
    touched_.AddCallBegin();
    in_new_call_[path_[last_].chosen] = true;
    part_is_loud_ = true;
    mistaken_ |= trusting_;
  } else {
    touched_.AddCallEnd();
    step_is_loud_ = true;
  }
}

Footprint CompleteExplorer::Announced(const PendingEvent& event, const volatile void* object) {
  Footprint footprint;
  if (event.kind == kStartKind || HasKind(options_.silent_kinds, event.kind)) return footprint;
  if (object == nullptr) {
    footprint.AddAll();
  } else {
    footprint.Add(objects_.Number(object), kAllParts, !HasKind(options_.reading_kinds, event.kind));
  }
  return footprint;
}

bool CompleteExplorer::Passes(const Decision& decision) {
  Step& step = path_[last_];
  const int fiber = decision.current;
  // It waits, yields or has ended.
  if (fiber != step.chosen || !Contains(decision.enabled, fiber)) return false;
  uint64_t& path = path_of_[fiber];
  if (!part_is_loud_ && loud_.count(path) == 0) quiet_.insert(path);
  if (in_new_call_[fiber]) {
    path = calls_of_[fiber] += kMaxFibers;
    in_new_call_[fiber] = false;
  }
  path = (path ^ decision.pending[fiber].site ^ decision.pending[fiber].kind) * 0x9E3779B97F4A7C15u;
  path ^= path >> 29;
  part_is_loud_ = false;
  const bool is_recorded = last_ < recorded_;
  const Footprint announced = Announced(decision.pending[fiber], decision.objects[fiber]);
  const bool trusts = step_is_loud_;
  const bool passes =
      is_recorded
          ? passed_ < step.passed
          : !step_is_loud_ || (!IsShared(announced) &&
                               (quiet_.count(path) != 0 ||
                                (HasKind(options_.quiet_kinds, decision.pending[fiber].kind) &&
                                 loud_.count(path) == 0)));
  if (!passes) return false;
  ++passed_;
  if (!is_recorded) step.passed = passed_;
  trusting_ = trusts;
  TouchAnnounced(announced);
  return true;
}

int CompleteExplorer::Pick(const Decision& decision) {
  if (mistaken_) return GiveUp(ExploreEnd::kRunning);
  if (options_.tight_calls && depth_ > 0 && Passes(decision)) return decision.current;
  if (depth_ > 0) EndStep();
  touched_.Clear();
  if (end_ != ExploreEnd::kRunning) return GiveUp(end_);
  if (depth_ < length_) {
    const Step& step = path_[depth_];
    if (step.alternatives != 0 || step.enabled != decision.enabled) {
      return GiveUp(ExploreEnd::kNondeterministic);
    }
  } else {
    if (length_ == path_.size()) return GiveUp(ExploreEnd::kRunTooLong);
    if (!Extend(decision)) return GiveUp(ExploreEnd::kRunning);
  }
  last_ = depth_++;
  Step& step = path_[last_];
  if (last_ >= recorded_) step.passed = 0;
  passed_ = 0;
  trusting_ = false;
  part_is_loud_ = step_is_loud_ = false;
  if (options_.tight_calls) TouchAnnounced(step.announced[step.chosen]);
  return step.chosen;
}

int CompleteExplorer::Choose(int alternatives) {
  if (end_ != ExploreEnd::kRunning) return 0;
  if (depth_ == length_) {
    if (length_ == path_.size()) {
      end_ = ExploreEnd::kRunTooLong;
      return 0;
    }
    path_[length_].alternatives = static_cast<uint8_t>(alternatives);
    path_[length_].taken = 0;
    path_[length_].shared = false;
    ++length_;
  } else if (path_[depth_].alternatives != alternatives) {
    end_ = ExploreEnd::kNondeterministic;
    return 0;
  }
  return path_[depth_++].taken;
}

int CompleteExplorer::GiveUp(ExploreEnd why) {
  end_ = why;
  cut_ = true;
  return -1;
}

void CompleteExplorer::EndStep() {
  Step& step = path_[last_];
  step.footprint = touched_;
  if (!options_.tight_calls) step.footprint.Merge(step.announced[step.chosen]);
  if (step.footprint.blocked_on() != 0) {
    step.attempt = step.footprint;
    step.footprint.ForgetAttempt();
  }
  step.outcomes.Merge(step.footprint);
}

// Adds the place that no run has reached before, and picks there: the default, if it does
// not sleep. False if all fibers do.
bool CompleteExplorer::Extend(const Decision& decision) {
  Step& step = path_[length_];
  step.alternatives = 0;
  step.enabled = decision.enabled;
  step.sleeping = 0;
  step.footprint.Clear();
  step.outcomes.Clear();
  for (int f = 0; f < decision.fibers; ++f)
    step.announced[f] = Announced(decision.pending[f], decision.objects[f]);
  if (length_ > 0) {
    const Step& before = path_[last_];
    const uint8_t others = before.sleeping & static_cast<uint8_t>(~BitOf(before.chosen));
    for (uint32_t rest = others; rest != 0; rest &= rest - 1) {
      const int sleeper = LowestOf(rest);
      if (Footprint::Dependent(before.sleeper[sleeper], before.footprint)) continue;
      step.sleeping |= BitOf(sleeper);
      step.sleeper[sleeper] = before.sleeper[sleeper];
    }
  }
  const uint8_t awake = step.enabled & static_cast<uint8_t>(~step.sleeping);
  if (awake == 0) return false;
  step.chosen = static_cast<int8_t>(Contains(awake, decision.default_fiber) ? decision.default_fiber
                                                                            : LowestOf(awake));
  step.backtrack = options_.source_sets ? BitOf(step.chosen) : step.enabled;
  ++length_;
  return true;
}

void CompleteExplorer::Finished(const RunResult& result) {
  ran_ = true;
  if (end_ != ExploreEnd::kRunning) return;
  if (mistaken_) {
    loud_.insert(path_of_[path_[last_].chosen]);
    quiet_.erase(path_of_[path_[last_].chosen]);
    length_ = last_ + 1;
    rerun_ = again_ = true;
    return;
  }
  if (!cut_ && depth_ < length_) {
    end_ = ExploreEnd::kNondeterministic;
    return;
  }
  if (!cut_) {
    EndStep();
    // What the step that ended the run half-way did is not all known.
    const bool half = result.status != RunStatus::kDone && result.status != RunStatus::kDeadlock;
    if (half && depth_ > 0) {
      path_[last_].footprint.AddAll();
      path_[last_].outcomes.AddAll();
    }
  }
  ++(cut_ ? cut_runs_ : runs_);
  if (options_.source_sets) Analyze();
  if (options_.tight_calls && ordering_.EndRun()) BeginAgain();
}

// What was taken to be of one fiber alone is not.
void CompleteExplorer::BeginAgain() {
  length_ = 0;
  runs_ = cut_runs_ = 0;
  ran_ = false;
  again_ = true;
}

// Steps whose order with steps of other fibers can matter at all: most accesses are to what
// one fiber uses alone, or to what is never written.
void CompleteExplorer::FindShared() {
  std::fill(users_.begin(), users_.end(), 0);
  std::fill(writers_.begin(), writers_.end(), 0);
  uint8_t anything = 0;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Step& step = path_[i];
    if (step.alternatives != 0) continue;
    const Footprint& tried = step.footprint.blocked_on() != 0 ? step.attempt : step.footprint;
    for (int o = 0; o < tried.count(); ++o) {
      users_[tried.object(o)] |= BitOf(step.chosen);
      if (tried.writes(o)) writers_[tried.object(o)] |= BitOf(step.chosen);
    }
    if (tried.all()) anything |= BitOf(step.chosen);
  }
  for (std::size_t i = 0; i < depth_; ++i) {
    Step& step = path_[i];
    if (step.alternatives != 0) continue;
    const Footprint& footprint = step.footprint;
    step.shared = footprint.orders_calls() || footprint.all();
    for (int o = 0; o < footprint.count() && !step.shared; ++o) {
      const std::vector<uint8_t>& minded = footprint.writes(o) ? users_ : writers_;
      step.shared = ((minded[footprint.object(o)] | anything) & ~BitOf(step.chosen)) != 0;
    }
  }
}

void CompleteExplorer::Analyze() {
  FindShared();
  shared_.clear();
  Clock now[kMaxFibers] = {};  // of each fiber's last step
  for (std::size_t i = 0; i < depth_; ++i) {
    Step& step = path_[i];
    if (step.alternatives != 0) continue;
    Clock& clock = now[step.chosen];
    ++clock[step.chosen];
    // Had the fiber come before the owner, it would not have had to wait.
    if (step.footprint.blocked_on() != 0) {
      Clock tried;
      std::copy(std::begin(clock), std::end(clock), tried);
      FindRaces(static_cast<int>(i), step.chosen, step.attempt, &tried, i >= first_new_);
    }
    if (step.shared) {
      FindRaces(static_cast<int>(i), step.chosen, step.footprint, &clock, i >= first_new_);
      shared_.push_back(static_cast<int>(i));
    }
    std::copy(std::begin(clock), std::end(clock), step.clock);
  }
}

void CompleteExplorer::FindRaces(int at, int fiber, const Footprint& footprint, Clock* clock,
                                 bool is_new) {
  Clock between;  // what is known to happen before the step through another one
  std::copy(std::begin(*clock), std::end(*clock), between);
  for (std::size_t k = shared_.size(); k-- > 0;) {
    const int i = shared_[k];
    const Step& earlier = path_[i];
    const int other{earlier.chosen};
    if (other == fiber || between[other] >= earlier.clock[other]) continue;
    if (!Footprint::Dependent(earlier.footprint, footprint)) continue;
    // What gave back a lock, to one that waited for it, cannot come after it: it is who
    // had the lock first that can be reversed.
    const bool reversible = Contains(earlier.enabled, fiber);
    if (reversible && is_new) Reverse(i, at, fiber, *clock);
    for (int f = 0; f < kMaxFibers; ++f) {
      (*clock)[f] = std::max((*clock)[f], earlier.clock[f]);
      if (reversible) between[f] = std::max(between[f], earlier.clock[f]);
    }
  }
}

void CompleteExplorer::Reverse(int earlier, int at, int fiber, const Clock& clock) {
  Step& place = path_[earlier];
  const int other{place.chosen};
  // Each fiber's first step after the place that does not happen after the step there.
  int first[kMaxFibers];
  std::fill(std::begin(first), std::end(first), -1);
  for (int k = earlier + 1; k < at; ++k) {
    const Step& step = path_[k];
    if (step.alternatives != 0) continue;
    if (first[step.chosen] < 0 && step.clock[other] < place.clock[other]) first[step.chosen] = k;
  }
  if (first[fiber] < 0) first[fiber] = at;
  uint8_t initials = 0;
  for (int f = 0; f < fibers_; ++f) {
    if (first[f] < 0 || !Contains(place.enabled, f)) continue;
    const Clock& own = first[f] == at ? clock : path_[first[f]].clock;
    bool is_first = true;
    for (int g = 0; g < fibers_; ++g) {
      if (g == f || first[g] < 0 || first[g] >= first[f]) continue;
      is_first &= own[g] < path_[first[g]].clock[g];
    }
    if (is_first) initials |= BitOf(f);
  }
  if ((initials & place.backtrack) != 0) return;
  if (initials == 0) {
    place.backtrack |= place.enabled;
  } else {
    place.backtrack |= BitOf(Contains(initials, fiber) ? fiber : LowestOf(initials));
  }
}

}  // namespace cancelsafe::schedule
