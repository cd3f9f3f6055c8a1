// See guarded_pages.h.
#include "fuzzers/drivers/world/guarded_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cancelsafe::drivers {
namespace {

constexpr size_t kStride = 2 * GuardedPages::kPageBytes;

void Protect(char* page, int protection) {
  if (mprotect(page, GuardedPages::kPageBytes, protection) == 0) return;
  perror("cancelsafe: the protection of a page of drivers cannot be changed");
  abort();
}

}  // namespace

bool GuardedPages::Reserve(void* at, unsigned char fill) {
  fill_ = fill;
  memory_ = static_cast<char*>(
      mmap(at, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
           -1, 0));
  return memory_ == at;
}

char* GuardedPages::Take(size_t part, size_t bytes) {
  for (size_t i = 0; i < kParts * kPages && !made_; ++i) {
    Protect(memory_ + i * kStride, PROT_READ | PROT_WRITE);
    memset(memory_ + i * kStride, fill_, kPageBytes);
  }
  made_ = true;
  size_t& taken = taken_[part];
  if (bytes + kBefore > kPageBytes || taken == kPages) return nullptr;
  return memory_ + (part * kPages + taken++) * kStride + kPageBytes - bytes;
}

void GuardedPages::Close(char* taken) {
  char* const page = PageOf(taken);
  Protect(page, PROT_NONE);
  closed_.push_back(page);
}

void GuardedPages::Reset() {
  for (char* page : closed_) Protect(page, PROT_READ | PROT_WRITE);
  closed_.clear();
  for (size_t part = 0; part < kParts; ++part) {
    for (size_t i = 0; i < taken_[part]; ++i) {
      memset(memory_ + (part * kPages + i) * kStride, fill_, kPageBytes);
    }
    taken_[part] = 0;
  }
}

bool GuardedPages::IsClosed(const volatile void* address) const {
  return Contains(address) &&
         std::find(closed_.begin(), closed_.end(), PageOf(address)) != closed_.end();
}

bool GuardedPages::IsBehind(const volatile void* address) const {
  return Contains(address) && (PageOf(address) - memory_) % kStride != 0;
}

bool GuardedPages::Contains(const volatile void* address) const {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(memory_);
  return at < kBytes && at / kStride % kPages < taken_[at / kStride / kPages];
}

char* GuardedPages::PageOf(const volatile void* address) const {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(memory_);
  return memory_ + at / kPageBytes * kPageBytes;
}

}  // namespace cancelsafe::drivers
