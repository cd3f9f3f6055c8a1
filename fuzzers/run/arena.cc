// See arena.h.
#include "fuzzers/run/arena.h"

#include <cstdio>
#include <cstdlib>

#include "fuzzers/run/sanitizer.h"

namespace cancelsafe {
namespace {

// The queue with its driver, and an IRP with callback data for every operation
// of the longest program.
constexpr size_t kBlockBytes = 64 * 1024;
constexpr size_t kRedZoneBytes = 16;
constexpr long kFillPattern = 0x4dcdcdcdcdcdcdcd;

// Not memset: its interceptor would show these bytes to TSan as accesses.
void Fill(void* at, size_t bytes) {
  size_t words = (bytes + 7) / 8;
  asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(kFillPattern) : "memory");
}

#ifdef CANCELSAFE_SANITIZER_THREAD
constexpr bool kFreshBlock = true;
// Small, since TSan clears its shadow of the whole block; grows on demand.
constexpr size_t kFirstBlockBytes = 6 * 1024;
#else
constexpr bool kFreshBlock = false;
#endif

}  // namespace

#ifdef CANCELSAFE_SANITIZER_THREAD

// Chunks are linked through their first word and freed together.
Arena::Arena() = default;
Arena::~Arena() { Reset(); }

void Arena::Reset() {
  static_assert(kFreshBlock);
  while (block_ != nullptr) {
    char* previous = *reinterpret_cast<char**>(block_);
    free(block_);
    block_ = previous;
  }
  used_ = 0;
}

void* Arena::Allocate(size_t size) {
  size = (size + 7) & ~size_t{7};
  if (block_ == nullptr || used_ + size > kFirstBlockBytes) {
    char* block = static_cast<char*>(malloc(kFirstBlockBytes));
    if (block == nullptr || size + 8 > kFirstBlockBytes) abort();
    *reinterpret_cast<char**>(block) = block_;
    block_ = block;
    used_ = 8;
  }
  void* result = block_ + used_;
  used_ += size;
  Fill(result, size);
  return result;
}

#else

Arena::Arena() : block_(static_cast<char*>(malloc(kBlockBytes))) {
  if (block_ == nullptr) {
    fprintf(stderr, "cancelsafe: no memory for the run's %zu bytes\n", kBlockBytes);
    abort();
  }
  Fill(block_, kBlockBytes);
  PoisonMemory(block_, kBlockBytes);
}

Arena::~Arena() {
  UnpoisonMemory(block_, kBlockBytes);
  free(block_);
}

void Arena::Reset() {
  static_assert(!kFreshBlock);
  UnpoisonMemory(block_, used_);
  Fill(block_, used_);
  PoisonMemory(block_, used_);
  used_ = 0;
}

void* Arena::Allocate(size_t size) {
  size = (size + 7) & ~size_t{7};
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  used_ += kRedZoneBytes;
#endif
  if (used_ + size + kRedZoneBytes > kBlockBytes) abort();
  void* result = block_ + used_;
  used_ += size;
  UnpoisonMemory(result, size);
  return result;
}

#endif

}  // namespace cancelsafe
