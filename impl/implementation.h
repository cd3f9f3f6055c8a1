// The door: a table of every documented entry point. The built-in optimized
// implementation, the reference one, every mutant and anybody's shared object
// come in through it. A null entry means "not provided".
#ifndef CANCELSAFE_IMPL_IMPLEMENTATION_H_
#define CANCELSAFE_IMPL_IMPLEMENTATION_H_

#include <string>

#include "fltKernel.h"

// X(return type, name, parameter list). One line per documented routine: the
// table, the loader and every report are generated from it.
#define CANCELSAFE_ENTRY_POINTS(X)                                                                 \
  X(NTSTATUS, IoCsqInitialize,                                                                     \
    (PIO_CSQ, PIO_CSQ_INSERT_IRP, PIO_CSQ_REMOVE_IRP, PIO_CSQ_PEEK_NEXT_IRP, PIO_CSQ_ACQUIRE_LOCK, \
     PIO_CSQ_RELEASE_LOCK, PIO_CSQ_COMPLETE_CANCELED_IRP))                                         \
  X(NTSTATUS, IoCsqInitializeEx,                                                                   \
    (PIO_CSQ, PIO_CSQ_INSERT_IRP_EX, PIO_CSQ_REMOVE_IRP, PIO_CSQ_PEEK_NEXT_IRP,                    \
     PIO_CSQ_ACQUIRE_LOCK, PIO_CSQ_RELEASE_LOCK, PIO_CSQ_COMPLETE_CANCELED_IRP))                   \
  X(VOID, IoCsqInsertIrp, (PIO_CSQ, PIRP, PIO_CSQ_IRP_CONTEXT))                                    \
  X(NTSTATUS, IoCsqInsertIrpEx, (PIO_CSQ, PIRP, PIO_CSQ_IRP_CONTEXT, PVOID))                       \
  X(PIRP, IoCsqRemoveIrp, (PIO_CSQ, PIO_CSQ_IRP_CONTEXT))                                          \
  X(PIRP, IoCsqRemoveNextIrp, (PIO_CSQ, PVOID))                                                    \
  X(VOID, KeInitializeDeviceQueue, (PKDEVICE_QUEUE))                                               \
  X(BOOLEAN, KeInsertDeviceQueue, (PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY))                          \
  X(BOOLEAN, KeInsertByKeyDeviceQueue, (PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY, ULONG))              \
  X(PKDEVICE_QUEUE_ENTRY, KeRemoveDeviceQueue, (PKDEVICE_QUEUE))                                   \
  X(PKDEVICE_QUEUE_ENTRY, KeRemoveByKeyDeviceQueue, (PKDEVICE_QUEUE, ULONG))                       \
  X(PKDEVICE_QUEUE_ENTRY, KeRemoveByKeyDeviceQueueIfBusy, (PKDEVICE_QUEUE, ULONG))                 \
  X(BOOLEAN, KeRemoveEntryDeviceQueue, (PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY))                     \
  X(VOID, IoStartPacket, (PDEVICE_OBJECT, PIRP, PULONG, PDRIVER_CANCEL))                           \
  X(VOID, IoStartNextPacket, (PDEVICE_OBJECT, BOOLEAN))                                            \
  X(VOID, IoStartNextPacketByKey, (PDEVICE_OBJECT, BOOLEAN, ULONG))                                \
  X(VOID, IoSetStartIoAttributes, (PDEVICE_OBJECT, BOOLEAN, BOOLEAN))                              \
  X(NTSTATUS, FltCbdqInitialize,                                                                   \
    (PFLT_INSTANCE, PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA_QUEUE_INSERT_IO,                  \
     PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO, PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO,                    \
     PFLT_CALLBACK_DATA_QUEUE_ACQUIRE, PFLT_CALLBACK_DATA_QUEUE_RELEASE,                           \
     PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO))                                               \
  X(VOID, FltCbdqEnable, (PFLT_CALLBACK_DATA_QUEUE))                                               \
  X(VOID, FltCbdqDisable, (PFLT_CALLBACK_DATA_QUEUE))                                              \
  X(NTSTATUS, FltCbdqInsertIo,                                                                     \
    (PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA, PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT, PVOID))    \
  X(PFLT_CALLBACK_DATA, FltCbdqRemoveIo,                                                           \
    (PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT))                               \
  X(PFLT_CALLBACK_DATA, FltCbdqRemoveNextIo, (PFLT_CALLBACK_DATA_QUEUE, PVOID))

namespace cancelsafe {

struct Implementation {
#define CANCELSAFE_DECLARE_ENTRY(type, name, parameters) type(*name) parameters = nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_DECLARE_ENTRY)
#undef CANCELSAFE_DECLARE_ENTRY
};

// The optimized implementation linked into this program. Every entry is set.
const Implementation& BuiltInImplementation();

// Loads the shared object at `path` and fills `*implementation` with the
// documented routines it exports; what it does not export stays null. The
// object stays loaded for the life of the process. Returns false and sets
// `*error` to the loader's own reason if it cannot be loaded, or if it exports
// none of the routines.
bool LoadImplementation(const std::string& path, Implementation* implementation,
                        std::string* error);

// Number of entries that are not null; 0 to kEntryPointCount.
int ProvidedEntryPoints(const Implementation& implementation);

#define CANCELSAFE_COUNT_ENTRY(type, name, parameters) +1
inline constexpr int kEntryPointCount = 0 CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COUNT_ENTRY);
#undef CANCELSAFE_COUNT_ENTRY

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_IMPLEMENTATION_H_
