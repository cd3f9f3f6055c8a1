// Access points: the hooks that the compiler calls before every load and store of code
// built with -fsanitize-coverage=trace-loads,trace-stores. They become preemption
// points in runs that ask for them, and cost a test and a return in all others.
#include <cstdint>

#include "fuzzers/run/machine.h"
#include "fuzzers/schedule/fiber.h"

namespace cancelsafe {
namespace {

inline void Access(const volatile void* address) {
  if (!Machine::access_points()) return;
  // A fiber's own stack is private.
  if (schedule::OnOneStack(address, __builtin_frame_address(0))) return;
  Machine::Point(kPointAccess, address);
}

}  // namespace

void Machine::LinkAccessPoints() {}

}  // namespace cancelsafe

// Shared objects under test find these in the program that loads them.
#pragma GCC visibility push(default)
extern "C" {
void __sanitizer_cov_load1(uint8_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load2(uint16_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load4(uint32_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load8(uint64_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load16(__int128* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store1(uint8_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store2(uint16_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store4(uint32_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store8(uint64_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store16(__int128* address) { cancelsafe::Access(address); }
}
#pragma GCC visibility pop
