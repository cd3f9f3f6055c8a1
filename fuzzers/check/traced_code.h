// Which code of an implementation a run went through, where it was compiled with
// -fsanitize-coverage=trace-pc,trace-cmp,trace-loads,trace-stores: the compiler calls hooks of
// ours at the begin of every block, before every comparison of integers, and before every
// access to memory. Knows nothing of programs or verdicts.
#ifndef CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_
#define CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_

#include <cstdint>
#include <vector>

namespace cancelsafe {

// What happened since the last Clear: that a block ran, or that a comparison came out less,
// equal or greater. Each is a number: the address behind the call of the hook, and in the
// top bits what happened there. A table of fixed size for the process; what does not fit is
// not seen.
class TracedCode {
 public:
  enum Happened : uintptr_t { kRan = 0, kLess = 1, kEqual = 2, kGreater = 3 };
  static constexpr int kAddressBits = 60;
  static uintptr_t AddressOf(uintptr_t block) {
    return block & ((uintptr_t{1} << kAddressBits) - 1);
  }
  static Happened HappenedAt(uintptr_t block) {
    return static_cast<Happened>(block >> kAddressBits);
  }
  // Whether implementations of this build can be traced: those of the plain host alone, since
  // elsewhere the sanitizers have a hook of that name.
#ifdef CANCELSAFE_SANITIZER_NONE
  static constexpr bool kBuilt = true;
#else
  static constexpr bool kBuilt = false;
#endif
  static void Clear();
  // O(blocks that ran).
  static std::vector<uintptr_t> Blocks();
  // Keeps, in the next run only, the order in which blocks run: at which value of *clock each
  // began. Null ends that.
  struct Step {
    uintptr_t block;
    uint32_t time;
  };
  static void KeepOrder(const uint32_t* clock);
  static const std::vector<Step>& Order();
  // Told, from now on, of every hook that is called: where it returns to, the frame of the code
  // that called it, and what is accessed, or null. Null ends that.
  enum class Hook { kBlock, kCompare, kLoad, kStore };
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnHook(Hook hook, uintptr_t place, const void* frame, const void* accessed) = 0;
  };
  static void SetWatcher(Watcher* watcher);
  // How many different blocks ran since the process began.
  static uint32_t SeenEver();
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_
