// See complete.h. Chooses the next run, and ends the search when all are done.
#include "fuzzers/schedule/complete.h"

#include <algorithm>
#include <iterator>

#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {
CompleteExplorer::CompleteExplorer(const CompleteOptions& options)
    : options_(options), users_(ObjectTable::kMany + 1), writers_(ObjectTable::kMany + 1) {
  path_.reserve(static_cast<std::size_t>(options.max_points));
  shared_.reserve(path_.capacity());
  newly_quiet_.reserve(path_.capacity());
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
  if (ran_ && !GoBack()) {
    end_ = ExploreEnd::kComplete;
  } else if (runs_ + cut_runs_ >= options_.max_runs) {
    end_ = ExploreEnd::kOutOfRuns;
  }
  first_new_ = length_ == 0 ? 0 : length_ - 1;
  while (first_new_ > 0 && path_[first_new_].alternatives != 0) --first_new_;
  recorded_ = first_new_;
  return end_ == ExploreEnd::kRunning;
}

// Back to the last place where another fiber has to be tried. False if there is none.
bool CompleteExplorer::GoBack() {
  while (length_ > first_) {
    Step& step = path_[length_ - 1];
    if (step.alternatives != 0) {
      if (++step.taken < step.alternatives) return true;
    } else {
      step.PutToSleep();
      const uint8_t todo = step.Left();
      if (todo != 0) {
        step.chosen = static_cast<int8_t>(LowestOf(todo));
        return true;
      }
      if (length_ == first_ + 1) return false;
    }
    --length_;
  }
  return false;
}

double CompleteExplorer::Done() const {
  if (end_ == ExploreEnd::kComplete) return 1;
  return DoneOf(path_.data(), length_, first_);
}

void CompleteExplorer::Start(const Schedule&, int fibers, const uint16_t*) {
  depth_ = 0;
  last_ = 0;
  fibers_ = fibers;
  alone_ = fibers == 1 && options_.tight_calls;
  if (!alone_) MakeSteps();
  touched_.Clear();
  known_.ordering.BeginRun();
  for (int f = 0; f < fibers; ++f) {
    path_of_[f] = calls_of_[f] = static_cast<uint64_t>(f);
    in_new_call_[f] = false;
  }
  part_is_loud_ = step_is_loud_ = trusting_ = mistaken_ = rested_ = false;
}

int CompleteExplorer::Pick(const Decision& decision) {
  if (alone_) return 0;
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
    if (length_ == path_.capacity()) return GiveUp(ExploreEnd::kRunTooLong);
    if (!Extend(decision)) return GiveUp(ExploreEnd::kRunning);
  }
  last_ = depth_++;
  Step& step = path_[last_];
  step.after_rest = rested_;
  rested_ = false;
  if (last_ >= recorded_) step.passed = 0;
  step.begin = options_.time == nullptr ? 0 : *options_.time;
  step.begins_call = step.ends_call = false;
  passed_ = 0;
  trusting_ = false;
  part_is_loud_ = step_is_loud_ = false;
  if (options_.tight_calls) TouchAnnounced(step.announced[step.chosen]);
  return step.chosen;
}

int CompleteExplorer::Choose(int alternatives) {
  if (end_ != ExploreEnd::kRunning) return 0;
  if (depth_ == length_) {
    if (length_ == path_.capacity()) {
      end_ = ExploreEnd::kRunTooLong;
      return 0;
    }
    Step& choice = NextStep();
    choice.alternatives = static_cast<uint8_t>(alternatives);
    choice.taken = 0;
    choice.shared = false;
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

void CompleteExplorer::MakeSteps() {
  constexpr std::size_t kAhead = 128;
  if (path_.size() < length_ + kAhead) {
    path_.resize(std::min(path_.capacity(), length_ + 2 * kAhead));
  }
}

CompleteExplorer::Step& CompleteExplorer::NextStep() {
  // Longer than all runs before it by more than was made.
  if (length_ == path_.size()) path_.emplace_back();
  return path_[length_];
}

// Adds the place that no run has reached before, and picks there: the default, if it does
// not sleep. False if all fibers do.
bool CompleteExplorer::Extend(const Decision& decision) {
  Step& step = NextStep();
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
  if (alone_) {
    ++runs_;
    return;
  }
  for (const uint64_t path : newly_quiet_) known_.NoteQuiet(path);
  newly_quiet_.clear();
  if (end_ != ExploreEnd::kRunning) return;
  if (mistaken_ && last_ < recorded_) {
    // It went so far before, and nothing was shared there.
    end_ = ExploreEnd::kNondeterministic;
    return;
  }
  if (mistaken_) {
    known_.NoteLoud(path_of_[path_[last_].chosen]);
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
  if (options_.tight_calls && known_.ordering.EndRun()) BeginAgain();
}

void CompleteExplorer::NoteOrders(CallOrders* orders) const {
  orders->Clear(fibers_);
  if (cut_ || again_) return;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Step& step = path_[i];
    if (step.alternatives != 0) continue;
    CallOrders::Step noted = {
        step.chosen,     {}, step.passed, step.begin, step.begins_call, step.ends_call,
        step.OnlyWaits()};
    std::copy(std::begin(step.clock), std::end(step.clock), std::begin(noted.clock));
    orders->Add(noted);
  }
}

void CompleteExplorer::Resume(const CompleteKnowledge& known, const PathStep* path,
                              std::size_t length, std::size_t first) {
  known_ = known;
  if (path_.size() < length) path_.resize(length);
  std::copy(path, path + length, path_.begin());
  length_ = length;
  first_ = first;
  is_part_ = true;
  ran_ = length != 0;
  learned_more_ = cut_ = again_ = rerun_ = false;
  runs_ = cut_runs_ = 0;
  end_ = ExploreEnd::kRunning;
}

// What was taken to be of one fiber alone is not.
void CompleteExplorer::BeginAgain() {
  if (is_part_) {
    learned_more_ = true;
    Stop();
    return;
  }
  ++beginnings_;
  length_ = 0;
  runs_ = cut_runs_ = 0;
  ran_ = false;
  again_ = true;
}

}  // namespace cancelsafe::schedule
