// What an access of instrumented code does, by the address that it is made from: for the
// compiler's calls (hooks_plain.cc), and for doors with another calling convention. Plain and
// volatile accesses, told before they are made. Not for code that is itself instrumented.
#ifndef CANCELSAFE_FUZZERS_MEMORY_PLAIN_ACCESSES_H_
#define CANCELSAFE_FUZZERS_MEMORY_PLAIN_ACCESSES_H_

#include "fuzzers/memory/hooks.h"

namespace cancelsafe::memory {

// What is not the usual case: a point before the access, the first access of its sort, a race,
// a memory error.
template <int kSize>
__attribute__((noinline)) void ReadSlowly(const volatile void* address, uintptr_t site) {
  const ptrdiff_t word = HookWord(address);
  if (word < 0) return;
  PointBefore(address, kSize, false, site);
  const uint32_t from = static_cast<uint32_t>(site);
  if (internal::engine->ReadsQuickly(word, HookFiber(), BytesOf(address, kSize), from)) return;
  internal::engine->PlainRead(HookFiber(), address, kSize, from);
  EndRunIfBad();
}
template <int kSize>
__attribute__((noinline)) void WriteSlowly(const volatile void* address, uintptr_t site) {
  const ptrdiff_t word = HookWord(address);
  if (word < 0) return;
  PointBefore(address, kSize, true, site);
  const uint32_t from = static_cast<uint32_t>(site);
  if (internal::engine->WritesQuickly(word, HookFiber(), BytesOf(address, kSize), from)) return;
  internal::engine->PlainWrite(HookFiber(), address, kSize, from);
  EndRunIfBad();
}

// The cell of an access that needs no point and is to where most are; else null.
template <int kSize>
inline Cell* CellInPassing(const volatile void* address) {
  if (!internal::in_passing) return nullptr;
  Shadow& shadow = internal::engine->shadow();
  const ptrdiff_t word = shadow.FindInFirst(address);
  return word < 0 ? nullptr : shadow.QuickCell(word, BytesOf(address, kSize));
}

template <int kSize>
inline void Read(const volatile void* address, uintptr_t site) {
  Cell* const cell = CellInPassing<kSize>(address);
  if (cell != nullptr &&
      internal::engine->ReadsQuickly(cell, HookFiber(), static_cast<uint32_t>(site))) {
    return;
  }
  ReadSlowly<kSize>(address, site);
}

template <int kSize>
inline void Write(const volatile void* address, uintptr_t site) {
  Cell* const cell = CellInPassing<kSize>(address);
  if (cell != nullptr &&
      internal::engine->WritesQuickly(cell, HookFiber(), static_cast<uint32_t>(site))) {
    return;
  }
  WriteSlowly<kSize>(address, site);
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
