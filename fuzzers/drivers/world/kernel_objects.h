// Kernel objects as drivers lay them out, beyond those of impl/include: sizes and offsets of
// amd64 (testdata/layout.c compares them with the DDK's headers). Types only.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_KERNEL_OBJECTS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_KERNEL_OBJECTS_H_

#include "wdm.h"

namespace cancelsafe::drivers {

// DISPATCHER_HEADER::Type.
enum ObjectType : UCHAR {
  kEventNotification = 0,
  kEventSynchronization = 1,
  kMutantObject = 2,
  kSemaphoreObject = 5,
  kThreadObject = 6,
  kTimerNotification = 8,
  kTimerSynchronization = 9,
};

struct KernelTimer {
  DISPATCHER_HEADER header;
  uint64_t due;
  LIST_ENTRY timer_list;
  PKDPC dpc;
  ULONG processor;
  ULONG period_ms;
};
static_assert(sizeof(KernelTimer) == 64, "KTIMER");

struct KernelMutex {
  DISPATCHER_HEADER header;
  LIST_ENTRY mutant_list;
  PVOID owner;
  BOOLEAN abandoned;
  UCHAR apc_disable;
};
static_assert(sizeof(KernelMutex) == 56, "KMUTANT");

struct KernelSemaphore {
  DISPATCHER_HEADER header;
  LONG limit;
};
static_assert(sizeof(KernelSemaphore) == 32, "KSEMAPHORE");

struct KernelMdl {
  KernelMdl* next;
  CSHORT size;
  CSHORT flags;
  PVOID process;
  PVOID mapped;
  PVOID start;
  ULONG byte_count;
  ULONG byte_offset;
};
static_assert(sizeof(KernelMdl) == 48, "MDL");
enum MdlFlags : CSHORT {
  kMdlMapped = 0x0001,
  kMdlPagesLocked = 0x0002,
  kMdlNonPagedPool = 0x0004,
};

struct KernelFile {
  CSHORT type;
  CSHORT size;
  PDEVICE_OBJECT device;
  PVOID vpb;
  PVOID context;
  PVOID context2;
  PVOID section_pointers;
  PVOID private_cache_map;
  NTSTATUS final_status;
  KernelFile* related;
  BOOLEAN rights[8];
  ULONG flags;
  UNICODE_STRING name;
  LARGE_INTEGER offset;
  ULONG waiters;
  ULONG busy;
  PVOID last_lock;
  KEVENT lock;
  KEVENT event;
  PVOID completion_context;
  KSPIN_LOCK irp_list_lock;
  LIST_ENTRY irp_list;
  PVOID extension;
};
static_assert(sizeof(KernelFile) == 216, "FILE_OBJECT");

struct KernelDriverExtension {
  PDRIVER_OBJECT driver;
  PVOID add_device;
  ULONG count;
  UNICODE_STRING service_key;
};

struct KernelRemoveLock {
  BOOLEAN removed;
  BOOLEAN reserved[3];
  LONG io_count;
  KEVENT remove_event;
};
static_assert(sizeof(KernelRemoveLock) == 32, "IO_REMOVE_LOCK of a free build");

struct KernelWorkItem {
  LIST_ENTRY list;
  PVOID routine;
  PVOID parameter;
};
static_assert(sizeof(KernelWorkItem) == 32, "WORK_QUEUE_ITEM");

struct KernelLockHandle {
  PVOID next;
  PKSPIN_LOCK lock;
  KIRQL old_irql;
};
static_assert(sizeof(KernelLockHandle) == 24, "KLOCK_QUEUE_HANDLE");

// The head of an interlocked list: two words, aligned to 16. Here the first is a depth, the
// second the first entry.
struct alignas(16) KernelListHead {
  uint64_t depth;
  PSINGLE_LIST_ENTRY first;
};

struct KernelLookaside {
  KernelListHead list;
  USHORT depth;
  USHORT maximum_depth;
  ULONG total_allocates;
  ULONG allocate_misses;
  ULONG total_frees;
  ULONG free_misses;
  ULONG type;
  ULONG tag;
  ULONG size;
  PVOID allocate;
  PVOID free;
  LIST_ENTRY entry;
  ULONG last_total_allocates;
  ULONG last_allocate_misses;
  ULONG future[2];
};

struct KernelFastMutex {
  LONG count;
  PVOID owner;
  ULONG contention;
  KEVENT event;
  ULONG old_irql;
};
static_assert(sizeof(KernelFastMutex) == 56, "FAST_MUTEX");

// Who owns it and who waits is kept beside it (resources.h).
struct KernelResource {
  LIST_ENTRY all;
  PVOID owner_table;
  SHORT active_count;
  USHORT flag;
  PVOID shared;
  PVOID exclusive;
  ULONG_PTR owner[2];
  ULONG active_entries;
  ULONG contention;
  ULONG shared_waiters;
  ULONG exclusive_waiters;
  PVOID reserved[2];
  KSPIN_LOCK lock;
};
static_assert(sizeof(KernelResource) == 104, "ERESOURCE");

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_KERNEL_OBJECTS_H_
