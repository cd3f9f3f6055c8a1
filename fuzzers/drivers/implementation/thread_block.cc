// See thread_block.h.
#include "fuzzers/drivers/implementation/thread_block.h"

#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace cancelsafe::drivers {
namespace {

constexpr size_t kPage = 4096;
// The last field that is there ends before a kernel's current thread, at 0x188, and its number of
// the processor, at 0x184.
constexpr size_t kBlockBytes = 0x180;
constexpr size_t kSelf = 0x30;

char* MakeBlock() {
  void* const pages = mmap(nullptr, 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages, kPage, PROT_READ | PROT_WRITE) != 0) return nullptr;
  char* const block = static_cast<char*>(pages) + kPage - kBlockBytes;
  memcpy(block + kSelf, &block, sizeof(block));
  return block;
}

}  // namespace

bool PlaceThreadBlock() {
  static char* const block = MakeBlock();
  return block != nullptr && syscall(SYS_arch_prctl, ARCH_SET_GS, block) == 0;
}

}  // namespace cancelsafe::drivers
