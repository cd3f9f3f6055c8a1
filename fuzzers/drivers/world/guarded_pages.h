// Memory as Driver Verifier's special pool gives it: an allocation, rounded up to 16 bytes, ends
// where a page ends, and nothing lies behind; when it is freed, its page is closed. So each access
// behind that, or after it was freed, faults, also one by code that no compiler has instrumented.
// Where accesses are seen, the pool (pool.h) says all this at less cost.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_GUARDED_PAGES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_GUARDED_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cancelsafe::drivers {

class GuardedPages {
 public:
  static constexpr size_t kPageBytes = 4096;
  // Room that is left before an allocation.
  static constexpr size_t kBefore = 16;

  // Keeps addresses from `at` on, kBytes of them, for pages that are made when the first is taken:
  // all, so that no run depends on how many were used before it. Untaken ones hold `fill`. False
  // if the system does not give the addresses.
  bool Reserve(void* at, unsigned char fill);

  // `bytes`, a multiple of 16, at the end of a page, for `part` (0 to kParts - 1), whose pages are
  // taken in their order. Null if they do not fit a page, or if the part has no page left.
  char* Take(size_t part, size_t bytes);
  // Any access to its page faults from now on.
  void Close(char* taken);
  // All pages may be taken again. O(pages taken).
  void Reset();

  // On the page of an allocation that was freed.
  bool IsClosed(const volatile void* address) const;
  // On the page behind an allocation.
  bool IsBehind(const volatile void* address) const;
  // On the page of an allocation, or the one behind it.
  bool Contains(const volatile void* address) const;

  static constexpr size_t kParts = 8;
  // A part's pages that can be taken; each has one behind it that is not there.
  static constexpr size_t kPages = 64;
  static constexpr size_t kBytes = kParts * kPages * 2 * kPageBytes;

 private:
  char* PageOf(const volatile void* address) const;

  char* memory_ = nullptr;
  unsigned char fill_ = 0;
  bool made_ = false;  // the pages exist
  size_t taken_[kParts] = {};
  std::vector<char*> closed_;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_GUARDED_PAGES_H_
