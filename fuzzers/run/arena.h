// The memory that one run's queue, IRPs and contexts live in. Under TSan it is
// fresh heap memory for every run, because only that resets the race detector's
// history exactly; elsewhere one block is used again. Its contents at the start
// of a run are always the same pattern, so reading what was never written gives
// the same answer every time.
#ifndef CANCELSAFE_FUZZERS_RUN_ARENA_H_
#define CANCELSAFE_FUZZERS_RUN_ARENA_H_

#include <cstddef>

#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe {

class Arena {
 public:
  // At most so much is added to each object.
#if defined(CANCELSAFE_SANITIZER_ADDRESS) || defined(CANCELSAFE_SANITIZER_MODEL)
  static constexpr size_t kRedZoneBytes = 16;
#else
  static constexpr size_t kRedZoneBytes = 0;
#endif
  static constexpr size_t kOverheadBytes = kRedZoneBytes + 7;

  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Forgets everything allocated so far. O(bytes used).
  void Reset();

  // From here on, objects of up to `bytes` together fit without more memory being
  // obtained. On the main context: memory that a fiber obtains would be in order, to
  // TSan, with all that the fiber did before.
  void Reserve(size_t bytes);

  // 8-byte aligned, with unaddressable bytes on both sides in the address and model
  // flavours. Never fails on the main context; on a fiber what was reserved is there.
  void* Allocate(size_t size);

  template <typename T>
  T* New() {
    return static_cast<T*>(Allocate(sizeof(T)));
  }

 private:
  char* block_ = nullptr;
  size_t used_ = 0;
  [[maybe_unused]] size_t block_bytes_ = 0;  // of the newest block
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_ARENA_H_
