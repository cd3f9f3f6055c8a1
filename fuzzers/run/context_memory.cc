// See context_memory.h.
#include "fuzzers/run/context_memory.h"

#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe {
namespace {

constexpr unsigned char kFreed = 0xDD;
// What an allocation finds: neither zeros nor the pattern of freed memory.
constexpr unsigned char kAllocated = 0xCD;

void Fill(void* at, size_t bytes, unsigned char value) {
  auto* const to = static_cast<volatile unsigned char*>(at);
  for (size_t i = 0; i < bytes; ++i) to[i] = value;
}

}  // namespace

void ContextMemory::Reset(void* first, size_t bytes) {
  first_ = static_cast<char*>(first);
  bytes_ = bytes;
  freed_ = 0;
  damaged_ = kNoItem;
}

void ContextMemory::Free(int number) {
  if (memory::kHooked) memory::DrainStores();
  Fill(At(number), bytes_, kFreed);
  PoisonMemory(At(number), bytes_);
  if (memory::kHooked) {
    memory::EndObject(At(number), bytes_, memory::State::kFreed, /*site=*/0);
  }
  freed_ |= uint64_t{1} << number;
}

void ContextMemory::Check(int number) {
  UnpoisonMemory(At(number), bytes_);
  const auto* const at = static_cast<const volatile unsigned char*>(At(number));
  for (size_t i = 0; i < bytes_; ++i) {
    if (at[i] != kFreed && damaged_ == kNoItem) damaged_ = static_cast<uint8_t>(number);
  }
}

void ContextMemory::Allocate(int number) {
  if (!IsFree(number)) return;
  Check(number);
  Fill(At(number), bytes_, kAllocated);
  if (memory::kHooked) memory::NewObjects(At(number), bytes_);
  freed_ &= ~(uint64_t{1} << number);
}

uint8_t ContextMemory::FindDamaged() {
  for (int number = 0; freed_ != 0 && number < kMaxItems; ++number) {
    if (IsFree(number)) Check(number);
  }
  freed_ = 0;
  return damaged_;
}

}  // namespace cancelsafe
