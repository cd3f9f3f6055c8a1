// Pool, lookaside lists, MDLs, and the memory routines that compilers call.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

// Macros to sources that include the headers, routines to those that import them.
#undef RtlZeroMemory
#undef RtlFillMemory

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kNoTag = 0x656e6f4e;   // "None"
constexpr ULONG kPagedBit = 1;         // of POOL_TYPE
constexpr ULONG kFailsQuietly = 8;     // POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
constexpr ULONG kRaises = 16;          // POOL_RAISE_IF_ALLOCATION_FAILURE
constexpr ULONG64 kFlagRaises = 0x20;  // POOL_FLAG_RAISE_ON_FAILURE
constexpr ULONG64 kFlagUninitialized = 0x2;
constexpr ULONG64 kFlagPaged = 0x100;

// ---- pool ----

bool CheckPaged(bool paged, const char* routine) {
  if (!paged || Processor()->irql < DISPATCH_LEVEL) return true;
  Report("irql", routine,
         "called for paged pool at DISPATCH_LEVEL; it may be called at or "
         "below APC_LEVEL");
  return false;
}

void* Obtain(SIZE_T bytes, ULONG tag, bool paged, bool zero, const char* routine) {
  CheckPaged(paged, routine);
  if (tag == 0) Report("misuse", routine, "the tag is 0");
  if (!MayAllocate()) return nullptr;
  return Pool::Get().Allocate(std::max<SIZE_T>(bytes, 1), tag, PoolUse::kDriver, zero, door_caller);
}
void* OrRaise(void* memory, bool raises, const char* routine) {
  if (memory == nullptr && raises) {
    RaiseStatus(STATUS_INSUFFICIENT_RESOURCES, routine, "the allocation fails");
  }
  return memory;
}
PVOID ExAllocatePool(ULONG type, SIZE_T bytes) {
  return Obtain(bytes, kNoTag, (type & kPagedBit) != 0, false, "ExAllocatePool");
}
PVOID ExAllocatePoolWithTag(ULONG type, SIZE_T bytes, ULONG tag) {
  constexpr char kRoutine[] = "ExAllocatePoolWithTag";
  void* const memory = Obtain(bytes, tag, (type & kPagedBit) != 0, false, kRoutine);
  return OrRaise(memory, (type & kRaises) != 0, kRoutine);
}
PVOID AllocateWithQuota(ULONG type, SIZE_T bytes, ULONG tag, const char* routine) {
  void* const memory = Obtain(bytes, tag, (type & kPagedBit) != 0, false, routine);
  return OrRaise(memory, (type & kFailsQuietly) == 0, routine);
}
PVOID ExAllocatePoolWithQuota(ULONG type, SIZE_T bytes) {
  return AllocateWithQuota(type, bytes, kNoTag, "ExAllocatePoolWithQuota");
}
PVOID ExAllocatePoolWithQuotaTag(ULONG type, SIZE_T bytes, ULONG tag) {
  return AllocateWithQuota(type, bytes, tag, "ExAllocatePoolWithQuotaTag");
}
PVOID ExAllocatePoolWithTagPriority(ULONG type, SIZE_T bytes, ULONG tag, ULONG) {
  return Obtain(bytes, tag, (type & kPagedBit) != 0, false, "ExAllocatePoolWithTagPriority");
}
PVOID ExAllocatePoolZero(ULONG type, SIZE_T bytes, ULONG tag) {
  return Obtain(bytes, tag, (type & kPagedBit) != 0, true, "ExAllocatePoolZero");
}
PVOID ExAllocatePool2(ULONG64 flags, SIZE_T bytes, ULONG tag) {
  constexpr char kRoutine[] = "ExAllocatePool2";
  void* const memory =
      Obtain(bytes, tag, (flags & kFlagPaged) != 0, (flags & kFlagUninitialized) == 0, kRoutine);
  return OrRaise(memory, (flags & kFlagRaises) != 0, kRoutine);
}
// The live block that begins at the address, after reporting that there is none.
PoolBlock* FindDriversBlock(PVOID address, const char* routine) {
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(address, PoolUse::kDriver, &why);
  if (block != nullptr) return block;
  const PoolBlock* holding = Pool::Get().Holding(address);
  Report(holding != nullptr && holding->freed ? "double-free" : "wrong-free", routine,
         "was given an address that cannot be freed: " + why);
  return nullptr;
}
void FreePool(PVOID address, ULONG tag, const char* routine) {
  PoolBlock* block = FindDriversBlock(address, routine);
  if (block == nullptr) return;
  if (tag != 0 && tag != block->tag) {
    Report(
        "misuse", routine,
        absl::StrCat("the tag is ", TagText(tag), "; it was allocated with ", TagText(block->tag)));
  }
  PointAt(address);
  // Another fiber may have freed it meanwhile, and the list of blocks may have moved.
  block = FindDriversBlock(address, routine);
  if (block != nullptr) Pool::Get().Free(block, door_caller);
}
void ExFreePool(PVOID address) { FreePool(address, 0, "ExFreePool"); }
void ExFreePoolWithTag(PVOID address, ULONG tag) { FreePool(address, tag, "ExFreePoolWithTag"); }
void ExFreePool2(PVOID address, ULONG tag, PVOID, ULONG) { FreePool(address, tag, "ExFreePool2"); }

// ---- lookaside lists: nothing is kept in them, so that each use is an allocation ----

PVOID LookasideAllocate(ULONG type, SIZE_T bytes, ULONG tag) {
  return Obtain(bytes, tag, (type & kPagedBit) != 0, false, "ExAllocateFromLookasideList");
}
void LookasideFree(PVOID address) { FreePool(address, 0, "ExFreeToLookasideList"); }
using LookasideAllocateDoor = Door<&LookasideAllocate, PASSIVE_LEVEL, DISPATCH_LEVEL>;
using LookasideFreeDoor = Door<&LookasideFree, PASSIVE_LEVEL, DISPATCH_LEVEL>;

void InitializeLookaside(KernelLookaside* list, PVOID allocate, PVOID free, ULONG type,
                         SIZE_T bytes, ULONG tag) {
  *list = {};
  list->type = type;
  list->tag = tag;
  list->size = static_cast<ULONG>(bytes);
  list->allocate =
      allocate != nullptr ? allocate : reinterpret_cast<PVOID>(&LookasideAllocateDoor::Call);
  list->free = free != nullptr ? free : reinterpret_cast<PVOID>(&LookasideFreeDoor::Call);
  TheState().lookasides.push_back(list);
}
void ExInitializeNPagedLookasideList(KernelLookaside* list, PVOID allocate, PVOID free, ULONG,
                                     SIZE_T bytes, ULONG tag, USHORT) {
  InitializeLookaside(list, allocate, free, 0, bytes, tag);
}
void ExInitializePagedLookasideList(KernelLookaside* list, PVOID allocate, PVOID free, ULONG,
                                    SIZE_T bytes, ULONG tag, USHORT) {
  InitializeLookaside(list, allocate, free, kPagedBit, bytes, tag);
}
void DeleteLookaside(KernelLookaside* list) {
  auto& lists = TheState().lookasides;
  const auto found = std::find(lists.begin(), lists.end(), list);
  if (found == lists.end()) {
    Report("misuse", "ExDeleteLookasideList", "the list was not initialised");
    return;
  }
  lists.erase(found);
}

// ---- MDLs: the buffer is where it is ----

constexpr ULONG kMdlTag = 0x206c644d;  // "Mdl "

KernelMdl* IoAllocateMdl(PVOID address, ULONG bytes, BOOLEAN secondary, BOOLEAN, PIRP irp) {
  if (!MayAllocate()) return nullptr;
  auto* mdl = NewObject<KernelMdl>(kMdlTag, PoolUse::kMdl);
  const auto start = reinterpret_cast<ULONG_PTR>(address);
  mdl->size = sizeof(KernelMdl);
  mdl->start = reinterpret_cast<PVOID>(start & ~ULONG_PTR{4095});
  mdl->byte_offset = static_cast<ULONG>(start & 4095);
  mdl->byte_count = bytes;
  if (irp != nullptr) {
    auto** link = reinterpret_cast<KernelMdl**>(&irp->MdlAddress);
    if (secondary) {
      while (*link != nullptr) link = &(*link)->next;
    }
    *link = mdl;
  }
  return mdl;
}
void IoFreeMdl(KernelMdl* mdl) {
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(mdl, PoolUse::kMdl, &why);
  if (block == nullptr) {
    Report("wrong-free", "IoFreeMdl", "was given no MDL that the driver allocated: " + why);
    return;
  }
  if ((mdl->flags & kMdlPagesLocked) != 0) {
    Report("misuse", "IoFreeMdl", "the pages of the MDL are locked");
  }
  Pool::Get().Free(block, door_caller);
}
char* AddressOf(const KernelMdl* mdl) { return static_cast<char*>(mdl->start) + mdl->byte_offset; }
void MmBuildMdlForNonPagedPool(KernelMdl* mdl) {
  if (!CheckObject(mdl, "MmBuildMdlForNonPagedPool")) return;
  mdl->flags |= kMdlNonPagedPool;
  mdl->mapped = AddressOf(mdl);
}
void MmProbeAndLockPages(KernelMdl* mdl, CHAR, ULONG) {
  constexpr char kRoutine[] = "MmProbeAndLockPages";
  if (!CheckObject(mdl, kRoutine)) return;
  if (mdl->byte_count != 0 && IsUserAddress(AddressOf(mdl))) {
    RaiseStatus(kAccessViolation, kRoutine, "the pages are not there");
  }
  mdl->flags |= kMdlPagesLocked;
}
void MmUnlockPages(KernelMdl* mdl) {
  if (!CheckObject(mdl, "MmUnlockPages")) return;
  if ((mdl->flags & kMdlPagesLocked) == 0) {
    Report("misuse", "MmUnlockPages", "the pages of the MDL are not locked");
  }
  mdl->flags = static_cast<CSHORT>(mdl->flags & ~(kMdlPagesLocked | kMdlMapped));
}
PVOID MmMapLockedPagesSpecifyCache(KernelMdl* mdl, CHAR, ULONG, PVOID, ULONG, ULONG) {
  if (!CheckObject(mdl, "MmMapLockedPagesSpecifyCache")) return nullptr;
  // It may fail, and drivers must expect that.
  if (!MayAllocate()) return nullptr;
  mdl->mapped = AddressOf(mdl);
  mdl->flags |= kMdlMapped;
  return mdl->mapped;
}
PVOID MmMapLockedPages(KernelMdl* mdl, CHAR) {
  mdl->mapped = AddressOf(mdl);
  mdl->flags |= kMdlMapped;
  return mdl->mapped;
}
void MmUnmapLockedPages(PVOID, KernelMdl* mdl) {
  mdl->flags = static_cast<CSHORT>(mdl->flags & ~kMdlMapped);
}

// ---- user memory: the buffers of requests are there, or are where none is ----

// Whether a program could have passed these bytes. A request's buffers are the host's pool.
bool IsUserMemory(const char* address, SIZE_T bytes) {
  const char* const last = address + (bytes - 1);
  if (last < address) return false;
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block == nullptr) return IsUserAddress(address) && IsUserAddress(last);
  return block->use == PoolUse::kHost && !block->freed && last < block->begin + block->bytes;
}
void ProbeFor(const char* address, SIZE_T bytes, ULONG alignment, const char* routine) {
  if (bytes == 0) return;
  if (alignment != 0 && (reinterpret_cast<ULONG_PTR>(address) & (alignment - 1)) != 0) {
    RaiseStatus(kDatatypeMisalignment, routine, "the address is not aligned as it says");
  }
  if (!IsUserMemory(address, bytes)) {
    RaiseStatus(kAccessViolation, routine, "not all of the buffer is user memory");
  }
}
void ProbeForRead(PVOID address, SIZE_T bytes, ULONG alignment) {
  ProbeFor(static_cast<char*>(address), bytes, alignment, "ProbeForRead");
}
// Unlike ProbeForRead it looks at the pages.
void ProbeForWrite(PVOID address, SIZE_T bytes, ULONG alignment) {
  ProbeFor(static_cast<char*>(address), bytes, alignment, "ProbeForWrite");
  if (bytes != 0 && Pool::Get().Holding(address) == nullptr) {
    RaiseStatus(kAccessViolation, "ProbeForWrite", "the buffer cannot be written to");
  }
}
BOOLEAN MmIsAddressValid(PVOID address) { return Pool::Get().Holding(address) != nullptr; }
PVOID MmLockPagableDataSection(PVOID) { return &TheState(); }
void MmUnlockPagableImageSection(PVOID) {}
PVOID MmPageEntireDriver(PVOID address) { return address; }
void MmResetDriverPaging(PVOID) {}

// ---- memory routines ----

// Of all that lies there; what ends an object there comes before or after it.
void Tell(const void* at, SIZE_T bytes, bool writes) {
  TellMemory(at, bytes, writes);
  TellLife(at, false);
}
PVOID SetMemory(PVOID at, LONG value, SIZE_T bytes) {
  Tell(at, bytes, true);
  return memset(at, value, bytes);
}
void RtlZeroMemory(PVOID at, SIZE_T bytes) { SetMemory(at, 0, bytes); }
void RtlFillMemory(PVOID at, SIZE_T bytes, LONG value) { SetMemory(at, value, bytes); }
SIZE_T RtlCompareMemory(const void* a, const void* b, SIZE_T bytes) {
  Tell(a, bytes, false);
  Tell(b, bytes, false);
  const auto* x = static_cast<const char*>(a);
  const auto* y = static_cast<const char*>(b);
  return static_cast<SIZE_T>(std::mismatch(x, x + bytes, y).first - x);
}
PVOID CopyMemory(PVOID to, const void* from, SIZE_T bytes) {
  Tell(from, bytes, false);
  Tell(to, bytes, true);
  return memmove(to, from, bytes);
}
LONG CompareMemory(const void* a, const void* b, SIZE_T bytes) {
  Tell(a, bytes, false);
  Tell(b, bytes, false);
  return memcmp(a, b, bytes);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(ExAllocatePool, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExAllocatePoolWithTag, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExAllocatePoolWithQuota, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExAllocatePoolWithQuotaTag, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExAllocatePoolWithTagPriority, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExAllocatePoolZero, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExAllocatePoolQuotaZero, ExAllocatePoolZero, PASSIVE_LEVEL,
                          DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExAllocatePool2, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExFreePool, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExFreePoolWithTag, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExFreePool2, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExInitializeNPagedLookasideList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExInitializePagedLookasideList, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_AS(ExDeleteNPagedLookasideList, DeleteLookaside, PASSIVE_LEVEL,
                          DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExDeletePagedLookasideList, DeleteLookaside, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(IoAllocateMdl, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoFreeMdl, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmBuildMdlForNonPagedPool, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(MmProbeAndLockPages, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmUnlockPages, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmMapLockedPagesSpecifyCache, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmMapLockedPages, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmUnmapLockedPages, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ProbeForRead, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ProbeForWrite, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(MmIsAddressValid, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(MmLockPagableDataSection, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(MmUnlockPagableImageSection, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(MmPageEntireDriver, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(MmResetDriverPaging, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlZeroMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlFillMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlCompareMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(RtlCopyMemory, CopyMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(RtlMoveMemory, CopyMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(memcpy, CopyMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(memmove, CopyMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(memset, SetMemory, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(memcmp, CompareMemory, PASSIVE_LEVEL, HIGH_LEVEL),
};

}  // namespace

ServiceList MemoryServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
