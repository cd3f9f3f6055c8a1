// The pool: the C library's heap, which the sanitizers know, behind a header that says how
// large a block is and whose. Not memory that a program's arena holds, so a run does not
// give it back.
#include <stdlib.h>
#include <string.h>

#include "watch.h"

namespace {

struct BlockHeader {
  ULONG magic;
  ULONG tag;
  ULONG64 offset;  // from the start of the allocation to the block
};
static_assert(sizeof(BlockHeader) == 16, "keeps a block aligned");

constexpr ULONG kMagic = 0x6c6f6f50;  // "Pool"
constexpr ULONG kFreed = 0x65657246;  // "Free"
constexpr int kUnwritten = 0xa5;
constexpr ULONG kAnyTag = 0;
constexpr ULONG kNoTag = 0x656e6f4e;  // "None", as the real pool names it
constexpr SIZE_T kAlignment = 16;
constexpr SIZE_T kCacheLine = 64;
// The first parameters of BAD_POOL_CALLER.
constexpr ULONG_PTR kAlreadyFree = 0x07;
constexpr ULONG_PTR kWrongTag = 0x0a;
constexpr ULONG_PTR kNotABlock = 0x46;

KI_QUIET PVOID Allocate(bool paged, bool cache_aligned, bool zeroed, SIZE_T size, ULONG tag,
                        const char* routine) {
  if (kWatching) {
    const KIRQL irql = ki_platform->processor()->irql;
    if (irql > (paged ? APC_LEVEL : DISPATCH_LEVEL)) KiReport(kIrqlTooHigh, routine, nullptr);
  }
  const SIZE_T offset = cache_aligned ? kCacheLine : kAlignment;
  if (size > ~SIZE_T{0} - 2 * kCacheLine) return nullptr;
  const SIZE_T whole = (offset + size + offset - 1) & ~(offset - 1);
  void* start = aligned_alloc(offset, whole);
  if (start == nullptr) return nullptr;
  UCHAR* block = static_cast<UCHAR*>(start) + offset;
  BlockHeader* header = reinterpret_cast<BlockHeader*>(block) - 1;
  header->magic = kMagic;
  header->tag = tag;
  header->offset = offset;
  memset(block, zeroed ? 0 : kUnwritten, size);
  return block;
}

KI_QUIET PVOID AllocateOfType(POOL_TYPE type, bool zeroed, SIZE_T size, ULONG tag,
                              const char* routine) {
  return Allocate((type & 1) != 0, (type & 4) != 0, zeroed, size, tag, routine);
}

// A block that was freed is the heap's again: where a sanitizer watches, it reports the
// second call by itself, as a use after free of the header.
KI_QUIET void Free(PVOID block, ULONG tag) {
  if (block == nullptr || reinterpret_cast<ULONG_PTR>(block) % kAlignment != 0) {
    KeBugCheckEx(BAD_POOL_CALLER, kNotABlock, reinterpret_cast<ULONG_PTR>(block), 0, 0);
  }
  BlockHeader* header = static_cast<BlockHeader*>(block) - 1;
  if (header->magic != kMagic) {
    KeBugCheckEx(BAD_POOL_CALLER, header->magic == kFreed ? kAlreadyFree : kNotABlock,
                 reinterpret_cast<ULONG_PTR>(block), header->tag, 0);
  }
  if (tag != kAnyTag && tag != header->tag) {
    KeBugCheckEx(BAD_POOL_CALLER, kWrongTag, reinterpret_cast<ULONG_PTR>(block), header->tag, tag);
  }
  header->magic = kFreed;
  free(static_cast<UCHAR*>(block) - header->offset);
}

}  // namespace

extern "C" {

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes) {
  return AllocateOfType(PoolType, false, NumberOfBytes, kNoTag, "ExAllocatePool");
}

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                      ULONG Tag) {
  return AllocateOfType(PoolType, false, NumberOfBytes, Tag, "ExAllocatePoolWithTag");
}

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                           ULONG Tag) {
  return AllocateOfType(PoolType, false, NumberOfBytes, Tag, "ExAllocatePoolWithQuotaTag");
}

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                   ULONG Tag) {
  return AllocateOfType(PoolType, true, NumberOfBytes, Tag, "ExAllocatePoolZero");
}

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType,
                                                            SIZE_T NumberOfBytes, ULONG Tag) {
  return AllocateOfType(PoolType, false, NumberOfBytes, Tag, "ExAllocatePoolUninitialized");
}

KI_SERVICE KI_QUIET PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) {
  return Allocate((Flags & POOL_FLAG_PAGED) != 0, (Flags & POOL_FLAG_CACHE_ALIGNED) != 0,
                  (Flags & POOL_FLAG_UNINITIALIZED) == 0, NumberOfBytes, Tag, "ExAllocatePool2");
}

KI_SERVICE KI_QUIET VOID NTAPI ExFreePool(PVOID P) { Free(P, kAnyTag); }
KI_SERVICE KI_QUIET VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag) { Free(P, Tag); }

}  // extern "C"
