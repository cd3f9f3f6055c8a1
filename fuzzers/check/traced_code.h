// Which code of an implementation a run went through, where it was compiled with
// -fsanitize-coverage=trace-pc: the compiler calls a hook of ours at the begin of every
// block. Knows nothing of programs or verdicts.
#ifndef CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_
#define CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_

#include <cstdint>
#include <vector>

namespace cancelsafe {

// The blocks that ran since the last Clear, as addresses behind the call of the hook. A
// table of fixed size for the process; what does not fit is not seen.
class TracedCode {
 public:
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
  // How many different blocks ran since the process began.
  static uint32_t SeenEver();
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_TRACED_CODE_H_
