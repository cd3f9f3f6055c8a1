// How large the worlds are that a verification goes through: fibers, calls, items, which
// operations, and in how many settings a queue may differ from the plain one. Plain values;
// what lies within a scope is said by worlds.h.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_
#define CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "oracle/operations.h"

namespace cancelsafe {

// Of all fibers together. More keys than this below StartIo's own cannot be written in a
// program (start-key is at most 7), and larger worlds are more than machines finish.
inline constexpr int kMaxWorldCalls = 7;
// Six of the seven calls can each name another item, and one shows what became of them.
inline constexpr int kMaxWorldItems = 6;
inline constexpr int kMaxWorldSettings = 3;

inline uint64_t OperationBit(Op op) { return uint64_t{1} << static_cast<unsigned>(op); }

struct Scope {
  Family family = Family::kCsq;
  int fibers = 2;    // at most, 1..kMaxFibers
  int calls = 1;     // of one fiber, at most; fibers * calls <= kMaxWorldCalls
  int items = 1;     // at most, 1..kMaxWorldItems
  int settings = 1;  // that differ from the plain queue's, at most; 0..kMaxWorldSettings
  // A bit for each Op that a call may be; 0: all operations of the family.
  uint64_t operations = 0;

  bool Allows(Op op) const { return operations == 0 || (operations & OperationBit(op)) != 0; }

  friend bool operator==(const Scope& a, const Scope& b) {
    return a.family == b.family && a.fibers == b.fibers && a.calls == b.calls &&
           a.items == b.items && a.settings == b.settings && a.operations == b.operations;
  }
};

// "csq 2x1, 1 item, 1 setting", "device_queue 1x6, 4 items, 0 settings, calls
// queue-insert-by-key+queue-remove-by-key".
std::string ScopeText(const Scope& scope);

// The operations of a scope as words joined by '+', in the order of Op; "" for all.
std::string OperationWords(uint64_t operations);
// Reads them; the error says which word is wrong and what is allowed.
absl::StatusOr<uint64_t> ReadOperationWords(Family family, absl::string_view words);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SCOPE_H_
