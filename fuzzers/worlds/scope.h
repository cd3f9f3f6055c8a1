// How large the worlds are that a verification goes through: fibers, calls, items, and in
// how many settings a queue may differ from the plain one. Plain values; what lies within
// a scope is said by worlds.h.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_
#define CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_

#include <string>

#include "oracle/operations.h"

namespace cancelsafe {

// Of all fibers together. More keys than this below StartIo's own cannot be written in a
// program (start-key is at most 7), and larger worlds are more than machines finish.
inline constexpr int kMaxWorldCalls = 7;
// Three of them fit into one file (ItemsOf a plain setup, kFileCount).
inline constexpr int kMaxWorldItems = 3;
inline constexpr int kMaxWorldSettings = 3;

struct Scope {
  Family family = Family::kCsq;
  int fibers = 2;    // at most, 1..kMaxFibers
  int calls = 1;     // of one fiber, at most; fibers * calls <= kMaxWorldCalls
  int items = 1;     // at most, 1..kMaxWorldItems
  int settings = 1;  // that differ from the plain queue's, at most; 0..kMaxWorldSettings

  friend bool operator==(const Scope& a, const Scope& b) {
    return a.family == b.family && a.fibers == b.fibers && a.calls == b.calls &&
           a.items == b.items && a.settings == b.settings;
  }
};

// "csq 2x1, 1 item, 1 setting".
std::string ScopeText(const Scope& scope);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_
