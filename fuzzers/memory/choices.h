// What the model leaves open, as choices among numbered alternatives, and who makes
// them. Alternative 0 is always what sequential consistency would do; so a chooser
// that always says 0, or a list that has run out, gives a sequentially consistent run.
#ifndef CANCELSAFE_FUZZERS_MEMORY_CHOICES_H_
#define CANCELSAFE_FUZZERS_MEMORY_CHOICES_H_

#include <cstdint>

namespace cancelsafe::memory {

enum class ChoiceKind : uint8_t {
  kRead,    // which store a load returns: 0 the newest, 1 the next older one, ...
  kUpdate,  // which store a read-modify-write or compare-exchange reads; likewise
  kPlace,   // where a store goes in modification order: 0 the end, 1 one store earlier, ...
  kFlush,   // when a buffered store reaches memory: 0 at once
};

class Chooser {
 public:
  virtual ~Chooser() = default;
  // Returns a number in [0, alternatives); called only where there are at least two.
  virtual int Choose(ChoiceKind kind, int alternatives) = 0;
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_CHOICES_H_
