// Is there an order of the calls, consistent with real time, in which a
// sequential model allows everything that they returned and called back? Wing
// and Gong's search with Lowe's memory of (calls placed, state), exact within a
// budget. Templated on the model; knows nothing of any queue.
//
// The usual case does not search: the calls are taken in the order in which
// they probably took effect (Call::effect), and one pass through the model
// settles it. The guess decides nothing but speed.
#ifndef CANCELSAFE_ORACLE_LINEARIZABILITY_H_
#define CANCELSAFE_ORACLE_LINEARIZABILITY_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "oracle/history.h"
#include "oracle/model.h"
#include "oracle/trace.h"

namespace cancelsafe {

enum class SearchResult : uint8_t { kFound, kNone, kOutOfBudget };

// A set of call numbers.
struct CallSet {
  static constexpr int kWords = (kMaxCalls + 63) / 64;
  uint64_t words[kWords];

  void Clear() {
    for (uint64_t& word : words) word = 0;
  }
  bool Has(int call) const { return (words[call >> 6] >> (call & 63) & 1) != 0; }
  void Add(int call) { words[call >> 6] |= uint64_t{1} << (call & 63); }
  void Remove(int call) { words[call >> 6] &= ~(uint64_t{1} << (call & 63)); }
  friend bool operator==(const CallSet& a, const CallSet& b) {
    for (int i = 0; i < kWords; ++i) {
      if (a.words[i] != b.words[i]) return false;
    }
    return true;
  }
  uint64_t Hash(uint64_t hash) const {
    for (uint64_t word : words) hash = MixHash(hash, word);
    return hash;
  }
};

// One call placed in a linearization, by the given alternative of the model.
struct Placement {
  uint8_t call;
  uint8_t alternative;
};

struct Linearization {
  int length = 0;
  Placement placements[kMaxCalls];
};

template <class Model>
class LinearizabilitySearch {
 public:
  using State = typename Model::State;

  // Prepares the search: puts the calls in order of effect. O(calls) if they
  // are nearly in order already. `history` and `traces` must outlive the search.
  void Start(const History& history, Reading reading, const Trace* traces);

  // Tries the order of effect alone. `visit(state, operation, outcome)` is
  // called for every call placed, with the state before it. False proves
  // nothing. O(calls * alternatives), no allocation.
  template <class Visitor>
  bool TryOrderOfEffect(const Visitor& visit);

  // The full search. `with_traces`: callbacks must be explained too. `budget`
  // bounds the model steps. After kNone and kOutOfBudget, longest() is the
  // longest partial linearization met, the first of that length. Allocates.
  SearchResult Search(bool with_traces, uint64_t budget);
  const Linearization& longest() const { return longest_; }

  // The calls that may come next once those in `placed` have: not placed, and
  // begun before every other one that is not placed has returned. In order of
  // effect. Returns their number.
  int Candidates(const CallSet& placed, uint8_t candidates[kMaxCalls]) const;

  // False if the alternative rests on a concurrent cancellation that there was not.
  bool MayApply(const Alternative<State>& alternative, int call) const {
    const Call& entry = history_->calls[call];
    return !alternative.needs_cancel || CancelledMeanwhile(*history_, entry, entry.operation.item);
  }

  // True if the call returned what the alternative allows, or did not return.
  bool Explains(const Alternative<State>& alternative, int call, bool with_traces) const {
    const Call& entry = history_->calls[call];
    if (!MayApply(alternative, call)) return false;
    if (!entry.returned) return true;
    if (!alternative.any_outcome && !(alternative.outcome == entry.outcome)) return false;
    return !with_traces || alternative.trace == traces_[call];
  }

  int Step(const State& state, int call, Alternative<State>* out) const {
    const Call& entry = history_->calls[call];
    return Model::Step(history_->setup, reading_, state, entry.operation, entry.generation, out);
  }

 private:
  struct Frame {
    State state;
    uint8_t candidates[kMaxCalls];
    int16_t candidate_count;
    int16_t candidate;    // position in `candidates` of the call to try next
    int16_t alternative;  // of that call
  };
  struct Seen {
    CallSet placed;
    State state;
  };

  void Open(const State& state, Frame* frame) const;
  bool Remember(const CallSet& placed, const State& state);
  void Rehash(size_t size);

  const History* history_ = nullptr;
  const Trace* traces_ = nullptr;
  Reading reading_ = Reading::kOwn;
  bool any_pending_ = false;
  int returned_ = 0;
  uint8_t order_[kMaxCalls];
  CallSet placed_;
  Linearization path_;
  Linearization longest_;
  std::vector<Frame> frames_;
  std::vector<Seen> seen_;
  std::vector<uint32_t> table_;  // 1 + index into seen_, 0 for a free place
};

template <class Model>
void LinearizabilitySearch<Model>::Start(const History& history, Reading reading,
                                         const Trace* traces) {
  history_ = &history;
  traces_ = traces;
  reading_ = reading;
  returned_ = 0;
  uint32_t effects[kMaxCalls];
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    returned_ += call.returned;
    // Kept within the call, the effects respect real time whatever was guessed.
    uint32_t effect = std::max(call.effect, call.begin);
    if (call.returned) effect = std::min(effect, call.end);
    int place = i;
    while (place > 0 && effects[place - 1] > effect) {
      effects[place] = effects[place - 1];
      order_[place] = order_[place - 1];
      --place;
    }
    effects[place] = effect;
    order_[place] = static_cast<uint8_t>(i);
  }
  any_pending_ = returned_ != history.call_count;
}

template <class Model>
template <class Visitor>
bool LinearizabilitySearch<Model>::TryOrderOfEffect(const Visitor& visit) {
  if (any_pending_) return false;
  // In turn, so that no state has to be copied while it is still being written.
  Alternative<State> alternatives[2][kMaxAlternatives<Model>];
  const State initial = Model::Initial(history_->setup);
  const State* state = &initial;
  for (int i = 0; i < history_->call_count; ++i) {
    const int call = order_[i];
    Alternative<State>* const possible = alternatives[i & 1];
    const int count = Step(*state, call, possible);
    int chosen = 0;
    while (chosen < count && !Explains(possible[chosen], call, true)) ++chosen;
    if (chosen == count) return false;
    visit(*state, history_->calls[call].operation, history_->calls[call].outcome);
    state = &possible[chosen].next;
  }
  return Model::MayEnd(*state);
}

template <class Model>
int LinearizabilitySearch<Model>::Candidates(const CallSet& placed,
                                             uint8_t candidates[kMaxCalls]) const {
  uint32_t first_end = UINT32_MAX;
  for (int i = 0; i < history_->call_count; ++i) {
    const Call& call = history_->calls[i];
    if (call.returned && !placed.Has(i)) first_end = std::min(first_end, call.end);
  }
  int count = 0;
  for (int i = 0; i < history_->call_count; ++i) {
    const int call = order_[i];
    if (!placed.Has(call) && history_->calls[call].begin <= first_end) {
      candidates[count++] = static_cast<uint8_t>(call);
    }
  }
  return count;
}

template <class Model>
void LinearizabilitySearch<Model>::Open(const State& state, Frame* frame) const {
  frame->state = state;
  frame->candidate_count = static_cast<int16_t>(Candidates(placed_, frame->candidates));
  frame->candidate = 0;
  frame->alternative = 0;
}

template <class Model>
SearchResult LinearizabilitySearch<Model>::Search(bool with_traces, uint64_t budget) {
  Alternative<State> alternatives[kMaxAlternatives<Model>];
  placed_.Clear();
  path_.length = 0;
  longest_.length = 0;
  seen_.clear();
  table_.assign(std::max<size_t>(table_.size(), 1024), 0);
  frames_.resize(history_->call_count + 1);
  int placed_returned = 0;
  if (returned_ == 0) return SearchResult::kFound;
  Open(Model::Initial(history_->setup), &frames_[0]);
  int depth = 0;
  for (;;) {
    Frame& frame = frames_[depth];
    if (frame.candidate == frame.candidate_count) {
      if (depth == 0) return SearchResult::kNone;
      const int call = path_.placements[--path_.length].call;
      placed_.Remove(call);
      placed_returned -= history_->calls[call].returned;
      --depth;
      continue;
    }
    if (budget-- == 0) return SearchResult::kOutOfBudget;
    const int call = frame.candidates[frame.candidate];
    const int count = Step(frame.state, call, alternatives);
    int chosen = frame.alternative;
    while (chosen < count && !Explains(alternatives[chosen], call, with_traces)) ++chosen;
    if (chosen >= count) {
      ++frame.candidate;
      frame.alternative = 0;
      continue;
    }
    frame.alternative = static_cast<int16_t>(chosen + 1);
    placed_.Add(call);
    if (!Remember(placed_, alternatives[chosen].next)) {
      placed_.Remove(call);
      continue;
    }
    path_.placements[path_.length++] =
        Placement{static_cast<uint8_t>(call), static_cast<uint8_t>(chosen)};
    placed_returned += history_->calls[call].returned;
    if (path_.length > longest_.length) longest_ = path_;
    if (placed_returned == returned_ && Model::MayEnd(alternatives[chosen].next)) {
      return SearchResult::kFound;
    }
    Open(alternatives[chosen].next, &frames_[++depth]);
  }
}

// False if the pair was there before. Compares in full: no collision can turn a
// search that has not failed into a failure.
template <class Model>
bool LinearizabilitySearch<Model>::Remember(const CallSet& placed, const State& state) {
  if ((seen_.size() + 1) * 2 > table_.size()) Rehash(table_.size() * 2);
  const auto hash = [](const CallSet& set, const State& value) {
    return set.Hash(HashState(value));
  };
  const size_t mask = table_.size() - 1;
  size_t place = hash(placed, state) & mask;
  while (table_[place] != 0) {
    const Seen& other = seen_[table_[place] - 1];
    if (other.placed == placed && SameState(other.state, state)) return false;
    place = (place + 1) & mask;
  }
  seen_.push_back(Seen{placed, state});
  table_[place] = static_cast<uint32_t>(seen_.size());
  return true;
}

template <class Model>
void LinearizabilitySearch<Model>::Rehash(size_t size) {
  table_.assign(size, 0);
  const size_t mask = size - 1;
  for (size_t i = 0; i < seen_.size(); ++i) {
    const Seen& entry = seen_[i];
    size_t place = entry.placed.Hash(HashState(entry.state)) & mask;
    while (table_[place] != 0) place = (place + 1) & mask;
    table_[place] = static_cast<uint32_t>(i + 1);
  }
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_LINEARIZABILITY_H_
