/* A device that keeps its pending IRPs in a cancel-safe queue, written as a driver
 * would be: plain C on the documented headers. */
#ifndef CANCELSAFE_IMPL_TESTDATA_CSQ_SAMPLE_H_
#define CANCELSAFE_IMPL_TESTDATA_CSQ_SAMPLE_H_

#include <wdm.h>

CANCELSAFE_BEGIN_C

typedef struct _SAMPLE_DEVICE {
  IO_CSQ CancelSafeQueue;
  LIST_ENTRY PendingIrpQueue;
  KSPIN_LOCK QueueLock;
  ULONG Queued;    /* under QueueLock: entries of PendingIrpQueue */
  ULONG Cancelled; /* interlocked: IRPs completed as cancelled */
} SAMPLE_DEVICE, *PSAMPLE_DEVICE;

/* The routines of an implementation that the sample is run against. */
typedef struct _SAMPLE_CSQ_ROUTINES {
  NTSTATUS (*Initialize)(PIO_CSQ, PIO_CSQ_INSERT_IRP, PIO_CSQ_REMOVE_IRP, PIO_CSQ_PEEK_NEXT_IRP,
                         PIO_CSQ_ACQUIRE_LOCK, PIO_CSQ_RELEASE_LOCK, PIO_CSQ_COMPLETE_CANCELED_IRP);
  VOID (*InsertIrp)(PIO_CSQ, PIRP, PIO_CSQ_IRP_CONTEXT);
  PIRP (*RemoveNextIrp)(PIO_CSQ, PVOID);
} SAMPLE_CSQ_ROUTINES;

NTSTATUS SampleInitialize(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines);
NTSTATUS SampleRead(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines, PIRP Irp);
/* Completes one pending IRP, of `FileObject` or of any file; FALSE if there is none. */
BOOLEAN SampleFinishOne(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines,
                        PFILE_OBJECT FileObject);

CANCELSAFE_END_C

#endif /* CANCELSAFE_IMPL_TESTDATA_CSQ_SAMPLE_H_ */
