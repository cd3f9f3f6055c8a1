// The routines of the breakable implementation, for the table and for each other.
#ifndef CANCELSAFE_CONFORMANCE_SELFCHECK_BROKEN_H_
#define CANCELSAFE_CONFORMANCE_SELFCHECK_BROKEN_H_

#include "conformance/selfcheck/defects.h"

namespace cancelsafe::conformance {

NTSTATUS CallInsert(PIO_CSQ csq, PIRP irp, PVOID context);

NTSTATUS BrokenCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                             PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                             PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete);
NTSTATUS BrokenCsqInitializeEx(PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove,
                               PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                               PIO_CSQ_RELEASE_LOCK release,
                               PIO_CSQ_COMPLETE_CANCELED_IRP complete);
VOID BrokenCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context);
NTSTATUS BrokenCsqInsertIrpEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context);
PIRP BrokenCsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context);
PIRP BrokenCsqRemoveNextIrp(PIO_CSQ csq, PVOID peek_context);

VOID BrokenInitializeDeviceQueue(PKDEVICE_QUEUE queue);
BOOLEAN BrokenInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);
BOOLEAN BrokenInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key);
PKDEVICE_QUEUE_ENTRY BrokenRemoveDeviceQueue(PKDEVICE_QUEUE queue);
PKDEVICE_QUEUE_ENTRY BrokenRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key);
PKDEVICE_QUEUE_ENTRY BrokenRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE queue, ULONG key);
BOOLEAN BrokenRemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);

VOID BrokenStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel);
VOID BrokenStartNextPacket(PDEVICE_OBJECT device, BOOLEAN cancelable);
VOID BrokenStartNextPacketByKey(PDEVICE_OBJECT device, BOOLEAN cancelable, ULONG key);
VOID BrokenSetStartIoAttributes(PDEVICE_OBJECT device, BOOLEAN deferred, BOOLEAN non_cancelable);

NTSTATUS BrokenCbdqInitialize(PFLT_INSTANCE instance, PFLT_CALLBACK_DATA_QUEUE queue,
                              PFLT_CALLBACK_DATA_QUEUE_INSERT_IO insert,
                              PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO remove,
                              PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO peek,
                              PFLT_CALLBACK_DATA_QUEUE_ACQUIRE acquire,
                              PFLT_CALLBACK_DATA_QUEUE_RELEASE release,
                              PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO complete);
VOID BrokenCbdqEnable(PFLT_CALLBACK_DATA_QUEUE queue);
VOID BrokenCbdqDisable(PFLT_CALLBACK_DATA_QUEUE queue);
NTSTATUS BrokenCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                            PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context, PVOID insert_context);
PFLT_CALLBACK_DATA BrokenCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE queue,
                                      PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context);
PFLT_CALLBACK_DATA BrokenCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PVOID peek_context);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_BROKEN_H_
