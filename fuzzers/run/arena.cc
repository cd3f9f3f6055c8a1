// See arena.h.
#include "fuzzers/run/arena.h"

#include <cstdio>
#include <cstdlib>

#include "fuzzers/run/machine.h"

namespace cancelsafe {
namespace {

constexpr long kFillPattern = 0x4dcdcdcdcdcdcdcd;

// Not memset: its interceptor would show these bytes to TSan as accesses.
void Fill(void* at, size_t bytes) {
  size_t words = (bytes + 7) / 8;
  asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(kFillPattern) : "memory");
}

}  // namespace

#ifdef CANCELSAFE_SANITIZER_THREAD

namespace {
// Small, since TSan clears its shadow of the whole block; more are made on demand.
constexpr size_t kBlockBytes = 6 * 1024;
}  // namespace

// Blocks are linked through their first word and freed together.
Arena::Arena() = default;
Arena::~Arena() { Reset(); }

void Arena::Reset() {
  while (block_ != nullptr) {
    char* previous = *reinterpret_cast<char**>(block_);
    free(block_);
    block_ = previous;
  }
  used_ = 0;
  handover_ = Handover();
}

void* Arena::Allocate(size_t size) {
  size = (size + 7) & ~size_t{7};
  if (block_ == nullptr || used_ + size > kBlockBytes) {
    char* block = static_cast<char*>(malloc(kBlockBytes));
    if (block == nullptr || size + 8 > kBlockBytes) abort();
    *reinterpret_cast<char**>(block) = block_;
    block_ = block;
    used_ = 8;
    handover_.Release(Machine::fiber());
  }
  // The block may come from another fiber's allocation.
  handover_.Acquire(Machine::fiber());
  void* result = block_ + used_;
  used_ += size;
  Fill(result, size);
  return result;
}

#else

namespace {
// The queue with its driver, and an IRP with callback data for every operation of
// the longest program.
constexpr size_t kBlockBytes = 64 * 1024;
constexpr size_t kRedZoneBytes = 16;
}  // namespace

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
