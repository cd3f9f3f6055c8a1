// Memory as it is, for what is not watched (a fiber's own stack) and for looks that are not
// accesses.
#ifndef CANCELSAFE_FUZZERS_MEMORY_RAW_MEMORY_H_
#define CANCELSAFE_FUZZERS_MEMORY_RAW_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cancelsafe::memory {

// `size` is at most 8; the bytes above are 0.
inline uint64_t ReadMemory(const volatile void* address, int size) {
  uint64_t value = 0;
  memcpy(&value, const_cast<const void*>(address), static_cast<size_t>(size));
  return value;
}
inline void WriteMemory(volatile void* address, int size, uint64_t value) {
  memcpy(const_cast<void*>(address), &value, static_cast<size_t>(size));
}

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_RAW_MEMORY_H_
