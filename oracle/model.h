// What every sequential model has in common. A model is a class of static
// functions over a small plain State:
//
//   static constexpr int kItems;               item numbers that it knows
//   struct State;                              trivially copyable, no padding, small
//   static State Initial(const Setup&);
//   static bool MayEnd(const State&);      false while a call of others is owed
//   static int Step(const Setup&, Reading, const State&, const Operation&,
//                   uint8_t generation, Alternative<State> out[kMaxAlternatives<Model>]);
//   static uint32_t Abstract(const Setup&, const State&);        < kAbstractStates
//   static std::string Describe(const Setup&, const State&);     for reports
//
// Step writes every outcome, callback trace and next state that the documents
// allow, and returns how many: 0 if the operation cannot happen in this state
// at all (its caller's contract would be broken). Deterministic, no allocation.
#ifndef CANCELSAFE_ORACLE_MODEL_H_
#define CANCELSAFE_ORACLE_MODEL_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "oracle/operations.h"
#include "oracle/trace.h"

namespace cancelsafe {

// Which documented reading holds where the documents leave a choice: the one
// that this project's implementation follows, or every one of them.
enum class Reading : uint8_t { kOwn, kPortable };

inline constexpr uint32_t kAbstractStates = 1024;

// A keyed insertion into a full mixed list may land before, between and behind all of
// its items; of a packet, it may also count as one without a key, or end at once.
template <class Model>
inline constexpr int kMaxAlternatives = Model::kItems + 2;

template <class State>
struct Alternative {
  Outcome outcome;
  bool any_outcome;   // no document says what is returned
  bool needs_cancel;  // only while another call cancels the same item
  Trace trace;
  State next;
  const char* clause;        // says that this outcome is right
  const char* order_clause;  // says that these callbacks are right
};

// States are compared and hashed as bytes, which needs them free of padding.
template <class State>
bool SameState(const State& a, const State& b) {
  static_assert(std::has_unique_object_representations_v<State>, "padding would be compared");
  static_assert(sizeof(State) <= 512 && std::is_trivially_copyable_v<State>);
  return std::memcmp(&a, &b, sizeof(State)) == 0;
}

inline uint64_t MixHash(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

template <class State>
uint64_t HashState(const State& state) {
  static_assert(sizeof(State) % 8 == 0);
  uint64_t words[sizeof(State) / 8];
  std::memcpy(words, &state, sizeof(State));
  uint64_t hash = sizeof(State);
  for (uint64_t word : words) hash = MixHash(hash, word);
  return hash;
}

// A set of items, as a bit for each.
template <int kItems>
using ItemSet = std::conditional_t<kItems <= 8, uint8_t, uint64_t>;

template <int kItems>
constexpr ItemSet<kItems> ItemBit(uint8_t item) {
  return static_cast<ItemSet<kItems>>(ItemSet<kItems>{1} << (item & (kItems - 1)));
}

// A list of items in at most kItems places; unused places hold kNoItem so that equal
// lists are equal bytes.
template <int kItems>
struct ItemListOf {
  uint8_t item[kItems];

  void Clear() { std::memset(item, kNoItem, sizeof(item)); }
  // Requires position <= size < kItems.
  void InsertAt(int position, uint8_t value) {
    for (int i = kItems - 1; i > position; --i) item[i] = item[i - 1];
    item[position] = value;
  }
  void RemoveAt(int position) {
    for (int i = position; i + 1 < kItems; ++i) item[i] = item[i + 1];
    item[kItems - 1] = kNoItem;
  }
  // Position of the value, or -1.
  int Find(uint8_t value) const {
    for (int i = 0; i < kItems; ++i) {
      if (item[i] == value) return i;
    }
    return -1;
  }
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_MODEL_H_
