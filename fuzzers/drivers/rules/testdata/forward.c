// Rules about requests that a driver passes on to the device below it. See frame.h and cases.def.
#include "frame.h"

static PFILE_OBJECT lower_file;

// The completion routine takes the request back, and dispatch ends it for good: it is completed by
// two drivers, by each once.
static NTSTATUS NTAPI TakeBack(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  KeSetEvent(context, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS CompletedTwice(Extension* x, PIRP irp, BOOLEAN partner) {
  KEVENT ended;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
#endif
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  IoCopyCurrentIrpStackLocationToNext(irp);
  IoSetCompletionRoutine(irp, TakeBack, &ended, TRUE, TRUE, TRUE);
  if (IoCallDriver(x->lower, irp) == STATUS_PENDING) {
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
  }
  status = irp->IoStatus.Status;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

// The device below pends the request: its mark goes up with the completion, by the routine or, for
// the partner, since the location is skipped.
static NTSTATUS NTAPI PassMarkOn(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(irp);
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(context);
#if !BROKEN
  if (irp->PendingReturned) IoMarkIrpPending(irp);
#endif
  return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS PassedOn(Extension* x, PIRP irp, BOOLEAN partner) {
  if (partner) {
    IoSkipCurrentIrpStackLocation(irp);
  } else {
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, PassMarkOn, NULL, TRUE, TRUE, TRUE);
  }
  return IoCallDriver(x->lower, irp);
}

// A request of the driver's own goes down in place of the one that came, and is freed in its
// completion routine; the one that came pends meanwhile.
static NTSTATUS NTAPI FreeOwn(PDEVICE_OBJECT device, PIRP own, PVOID context) {
  PIRP irp = context;
  const NTSTATUS status = own->IoStatus.Status;
  UNREFERENCED_PARAMETER(device);
  IoFreeIrp(own);
  Finish(irp, status, 0);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NotAnIrp(Extension* x, PIRP irp, BOOLEAN partner) {
  PIRP own;
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  IoCompleteRequest((PIRP)((PUCHAR)irp + 8), IO_NO_INCREMENT);
#endif
  own = IoAllocateIrp(x->lower->StackSize, FALSE);
  if (own == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  IoGetNextIrpStackLocation(own)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
  IoSetCompletionRoutine(own, FreeOwn, irp, TRUE, TRUE, TRUE);
  IoMarkIrpPending(irp);
  IoCallDriver(x->lower, own);
  return STATUS_PENDING;
}

static NTSTATUS Start(PDRIVER_OBJECT driver, Extension* x) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\below");
  PDEVICE_OBJECT below;
  NTSTATUS status = IoGetDeviceObjectPointer(&name, FILE_ALL_ACCESS, &lower_file, &below);
  UNREFERENCED_PARAMETER(driver);
  if (!NT_SUCCESS(status)) return status;
  x->lower = IoAttachDeviceToDeviceStack(x->device, below);
  ObDereferenceObject(lower_file);
  return x->lower == NULL ? STATUS_NO_SUCH_DEVICE : STATUS_SUCCESS;
}

static VOID Stop(Extension* x) { IoDetachDevice(x->lower); }

static Behaviour* const behaviours[] = {CompletedTwice, PassedOn, NotAnIrp};
FRAME(Start, NULL, Stop);
