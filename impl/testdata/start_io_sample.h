/* A driver with a StartIo routine that finishes each packet at once, and with the
 * documented cancel routine for queued ones. */
#ifndef CANCELSAFE_IMPL_TESTDATA_START_IO_SAMPLE_H_
#define CANCELSAFE_IMPL_TESTDATA_START_IO_SAMPLE_H_

#include <wdm.h>

CANCELSAFE_BEGIN_C

/* The routines of an implementation that the sample is run against. */
typedef struct _START_IO_SAMPLE_ROUTINES {
  VOID (*StartPacket)(PDEVICE_OBJECT, PIRP, PULONG, PDRIVER_CANCEL);
  VOID (*StartNextPacket)(PDEVICE_OBJECT, BOOLEAN);
  BOOLEAN (*RemoveEntry)(PKDEVICE_QUEUE, PKDEVICE_QUEUE_ENTRY);
} START_IO_SAMPLE_ROUTINES;

typedef struct _START_IO_SAMPLE {
  START_IO_SAMPLE_ROUTINES Routines;
  PDEVICE_OBJECT Device;
  BOOLEAN Cancelable;
  LONG Nesting;        /* interlocked: StartIo calls running */
  LONG DeepestNesting; /* interlocked */
} START_IO_SAMPLE, *PSTART_IO_SAMPLE;

/* Sets the driver's StartIo and the device extension. */
VOID SampleStartIoInitialize(PSTART_IO_SAMPLE Sample, PDEVICE_OBJECT Device,
                             const START_IO_SAMPLE_ROUTINES* Routines, BOOLEAN Cancelable);
NTSTATUS SampleStartIoRead(PSTART_IO_SAMPLE Sample, PIRP Irp);

CANCELSAFE_END_C

#endif /* CANCELSAFE_IMPL_TESTDATA_START_IO_SAMPLE_H_ */
