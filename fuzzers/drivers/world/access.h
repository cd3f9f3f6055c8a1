// What a run wants to know of an instrumented driver's accesses, blocks and comparisons.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_ACCESS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_ACCESS_H_

#include <cstddef>
#include <cstdint>

namespace cancelsafe::drivers {

struct AccessOptions {
  // Accesses to the pool and to the image's variables are preemption points (kPointAccess).
  bool points = false;
  // Block `number` (1, 2, ...) of the driver's code is entered; null for none.
  void (*covered)(uint32_t number) = nullptr;
  // Two values of `bytes` bytes are compared at `site` of the driver's code; null for none.
  void (*compared)(uint64_t a, uint64_t b, size_t bytes, const void* site) = nullptr;
};
void SetAccessOptions(const AccessOptions& options);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_ACCESS_H_
