// See arena.h.
#include "fuzzers/run/arena.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/memory/runtime.h"
#include "fuzzers/schedule/executor.h"

namespace cancelsafe {
namespace {

constexpr long kFillPattern = 0x4dcdcdcdcdcdcdcd;

// Not memset: its interceptor would show these bytes to TSan as accesses.
void Fill(void* at, size_t bytes) {
  size_t words = (bytes + 7) / 8;
  asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(kFillPattern) : "memory");
}

[[noreturn]] void OutOfMemory(size_t bytes) {
  fprintf(stderr, "cancelsafe: no memory for %zu bytes of a run\n", bytes);
  abort();
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
  used_ = block_bytes_ = 0;
}

void Arena::Reserve(size_t bytes) {
  if (used_ + bytes <= block_bytes_) return;
  if (schedule::Executor::Get().running()) OutOfMemory(bytes);
  const size_t block_bytes = std::max(kBlockBytes, bytes + 8);
  char* block = static_cast<char*>(malloc(block_bytes));
  if (block == nullptr) OutOfMemory(block_bytes);
  *reinterpret_cast<char**>(block) = block_;
  block_ = block;
  block_bytes_ = block_bytes;
  used_ = 8;
}

void* Arena::Allocate(size_t size) {
  size = (size + 7) & ~size_t{7};
  Reserve(size);
  void* result = block_ + used_;
  used_ += size;
  Fill(result, size);
  return result;
}

#else

namespace {
// The queue with its driver, and an IRP with callback data for every operation of
// the longest program.
// 64 filled IRPs for each of two queues take 143,000.
constexpr size_t kBlockBytes = 256 * 1024;
}  // namespace

Arena::Arena() : block_(static_cast<char*>(malloc(kBlockBytes))) {
  if (block_ == nullptr) OutOfMemory(kBlockBytes);
  Fill(block_, kBlockBytes);
  PoisonMemory(block_, kBlockBytes);
  if (memory::kHooked) {
    memory::WatchMemory(block_, kBlockBytes);
    memory::SetState(block_, kBlockBytes, memory::State::kUnallocated);
    memory::SetState(block_, kRedZoneBytes, memory::State::kCanary);
  }
}

Arena::~Arena() {
  UnpoisonMemory(block_, kBlockBytes);
  if (memory::kHooked) memory::UnwatchMemory(block_);
  free(block_);
}

void Arena::Reset() {
  UnpoisonMemory(block_, used_);
  Fill(block_, used_);
  PoisonMemory(block_, used_);
  if (memory::kHooked && used_ != 0) {
    memory::SetState(block_ + kRedZoneBytes, used_, memory::State::kUnallocated);
  }
  used_ = 0;
}

void Arena::Reserve(size_t bytes) {
  if (used_ + bytes + kRedZoneBytes > kBlockBytes) OutOfMemory(bytes);
}

void* Arena::Allocate(size_t size) {
  size = (size + 7) & ~size_t{7};
  used_ += kRedZoneBytes;
  Reserve(size);
  void* result = block_ + used_;
  used_ += size;
  UnpoisonMemory(result, size);
  if (memory::kHooked) {
    memory::SetState(result, size, memory::State::kLive);
    memory::SetState(block_ + used_, kRedZoneBytes, memory::State::kCanary);
  }
  return result;
}

#endif

}  // namespace cancelsafe
