// The list of documented entry points. The table of an implementation, its loader,
// the conformance suite and every report are generated from it; a routine that is
// not here is not under test. Macros only, because the suite compiles as part of a
// kernel driver.
#ifndef CANCELSAFE_IMPL_ENTRY_POINTS_H_
#define CANCELSAFE_IMPL_ENTRY_POINTS_H_

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

#endif  // CANCELSAFE_IMPL_ENTRY_POINTS_H_
