// What an access of instrumented code does, by the address that it is made from: for the
// compiler's calls (hooks_plain.cc), and for doors with another calling convention. Plain and
// volatile accesses, told before they are made. Not for code that is itself instrumented.
#ifndef CANCELSAFE_FUZZERS_MEMORY_PLAIN_ACCESSES_H_
#define CANCELSAFE_FUZZERS_MEMORY_PLAIN_ACCESSES_H_

#include "fuzzers/memory/hooks.h"

namespace cancelsafe::memory {

// What is not quick: the first access of its sort, a race, a memory error.
__attribute__((noinline)) inline void ReadSlowly(const volatile void* address, size_t size,
                                                 uint32_t site) {
  internal::engine->PlainRead(HookFiber(), address, size, site);
  EndRunIfBad();
}
__attribute__((noinline)) inline void WriteSlowly(const volatile void* address, size_t size,
                                                  uint32_t site) {
  internal::engine->PlainWrite(HookFiber(), address, size, site);
  EndRunIfBad();
}

template <int kSize>
inline void Read(const volatile void* address, uintptr_t site) {
  const ptrdiff_t word = HookWord(address);
  if (word < 0) return;
  PointBefore(address, kSize, false, site);
  const uint32_t from = static_cast<uint32_t>(site);
  if (internal::engine->ReadsQuickly(word, HookFiber(), BytesOf(address, kSize), from)) return;
  ReadSlowly(address, kSize, from);
}

template <int kSize>
inline void Write(const volatile void* address, uintptr_t site) {
  const ptrdiff_t word = HookWord(address);
  if (word < 0) return;
  PointBefore(address, kSize, true, site);
  const uint32_t from = static_cast<uint32_t>(site);
  if (internal::engine->WritesQuickly(word, HookFiber(), BytesOf(address, kSize), from)) return;
  WriteSlowly(address, kSize, from);
}

// A volatile access is a relaxed atomic one, whose value is what memory holds.
template <int kSize>
inline void Volatile(const volatile void* address, bool write, uintptr_t site) {
  if (HookWord(address) < 0) return;
  PointBefore(address, kSize, write, site);
  internal::engine->VolatileAccess(HookFiber(), address, kSize, write, static_cast<uint32_t>(site));
  EndRunIfBad();
}

// Also for what may lie in more than one word.
inline void ReadRange(const volatile void* address, size_t size, uintptr_t site) {
  if (size == 0 || !internal::active) return;
  PointBefore(address, size, false, site);
  internal::engine->PlainRead(HookFiber(), address, size, static_cast<uint32_t>(site));
  EndRunIfBad();
}

inline void WriteRange(const volatile void* address, size_t size, uintptr_t site) {
  if (size == 0 || !internal::active) return;
  PointBefore(address, size, true, site);
  internal::engine->PlainWrite(HookFiber(), address, size, static_cast<uint32_t>(site));
  EndRunIfBad();
}

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_PLAIN_ACCESSES_H_
