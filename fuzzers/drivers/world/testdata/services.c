// A driver whose requests use one theme of services each: IOCTL n does what Test n below says
// and answers with a status. Reads are queued in a cancel-safe queue and served by writes.
#include <ntddk.h>

typedef struct {
  IO_CSQ Queue;
  KSPIN_LOCK Lock;
  LIST_ENTRY Requests;
  KTIMER Timer;
  KDPC Dpc;
  PIRP Timed;
  KEVENT Done;
  ULONG Worked;
} EXTENSION;

static ULONG Loads = 1;  // a variable that each run changes

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp) {
  EXTENSION* Extension = CONTAINING_RECORD(Csq, EXTENSION, Queue);
  InsertTailList(&Extension->Requests, &Irp->Tail.Overlay.ListEntry);
}
static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp) {
  UNREFERENCED_PARAMETER(Csq);
  RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}
static PIRP NTAPI Peek(PIO_CSQ Csq, PIRP Irp, PVOID Context) {
  EXTENSION* Extension = CONTAINING_RECORD(Csq, EXTENSION, Queue);
  PLIST_ENTRY Next = Irp == NULL ? Extension->Requests.Flink : Irp->Tail.Overlay.ListEntry.Flink;
  UNREFERENCED_PARAMETER(Context);
  return Next == &Extension->Requests ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}
static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql) {
  KeAcquireSpinLock(&CONTAINING_RECORD(Csq, EXTENSION, Queue)->Lock, Irql);
}
static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql) {
  KeReleaseSpinLock(&CONTAINING_RECORD(Csq, EXTENSION, Queue)->Lock, Irql);
}
static NTSTATUS End(PIRP Irp, NTSTATUS Status, ULONG_PTR Information) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return Status;
}
static VOID NTAPI Cancelled(PIO_CSQ Csq, PIRP Irp) {
  UNREFERENCED_PARAMETER(Csq);
  End(Irp, STATUS_CANCELLED, 0);
}

static VOID NTAPI TimerDpc(PKDPC Dpc, PVOID Context, PVOID A, PVOID B) {
  EXTENSION* Extension = Context;
  PIRP Irp = Extension->Timed;
  UNREFERENCED_PARAMETER(Dpc);
  UNREFERENCED_PARAMETER(A);
  UNREFERENCED_PARAMETER(B);
  Extension->Timed = NULL;
  End(Irp, STATUS_SUCCESS, 0);
}
static VOID NTAPI Thread(PVOID Context) {
  EXTENSION* Extension = Context;
  LARGE_INTEGER Time;
  Time.QuadPart = -20 * 10000;
  KeDelayExecutionThread(KernelMode, FALSE, &Time);
  Extension->Worked++;
  PsTerminateSystemThread(STATUS_SUCCESS);
}
static VOID NTAPI Work(PDEVICE_OBJECT Device, PVOID Context) {
  EXTENSION* Extension = Device->DeviceExtension;
  Extension->Worked++;
  IoFreeWorkItem(Context);
  KeSetEvent(&Extension->Done, IO_NO_INCREMENT, FALSE);
}

// Pool, zeroed and with a pattern; strings; CR8; time.
static NTSTATUS Simple(void) {
  UNICODE_STRING A, B;
  KIRQL Old;
  LARGE_INTEGER Time;
  UCHAR* P = ExAllocatePoolWithTag(NonPagedPool, 24, 'tseT');
  if (P == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(P, 24);
  RtlFillMemory(P, 8, 7);
  if (P[7] != 7 || P[8] != 0) return STATUS_UNSUCCESSFUL;
  ExFreePoolWithTag(P, 'tseT');
  RtlInitUnicodeString(&A, L"abc");
  RtlInitUnicodeString(&B, L"ABC");
  if (!RtlEqualUnicodeString(&A, &B, TRUE)) return STATUS_UNSUCCESSFUL;
  KeRaiseIrql(DISPATCH_LEVEL, &Old);
  if (KeGetCurrentIrql() != DISPATCH_LEVEL) return STATUS_UNSUCCESSFUL;
  KeLowerIrql(Old);
  KeQuerySystemTime(&Time);
  return Time.QuadPart != 0 && KeGetCurrentThread() != NULL ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
static NTSTATUS WaitForWork(PDEVICE_OBJECT Device) {
  EXTENSION* Extension = Device->DeviceExtension;
  PIO_WORKITEM Item = IoAllocateWorkItem(Device);
  if (Item == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  KeClearEvent(&Extension->Done);
  IoQueueWorkItem(Item, Work, DelayedWorkQueue, Item);
  KeWaitForSingleObject(&Extension->Done, Executive, KernelMode, FALSE, NULL);
  return Extension->Worked == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
static NTSTATUS WaitForThread(EXTENSION* Extension) {
  HANDLE Handle;
  PVOID Object;
  LARGE_INTEGER Short;
  NTSTATUS Status = PsCreateSystemThread(&Handle, 0, NULL, NULL, NULL, Thread, Extension);
  if (!NT_SUCCESS(Status)) return Status;
  ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Object, NULL);
  ZwClose(Handle);
  Short.QuadPart = -10 * 10000;
  Status = KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Short);
  if (Status != STATUS_TIMEOUT) return STATUS_UNSUCCESSFUL;
  KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(Object);
  return Extension->Worked == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp) {
  EXTENSION* Extension = Device->DeviceExtension;
  PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
  LARGE_INTEGER Due;
  KIRQL Irql;
  PVOID P;
  switch (Stack->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xfff) {
    case 1:
      return End(Irp, Simple(), 0);
    case 2:
      return End(Irp, WaitForWork(Device), 0);
    case 3:
      return End(Irp, WaitForThread(Extension), 0);
    case 4:  // ended by a timer after 5 ms
      IoMarkIrpPending(Irp);
      Extension->Timed = Irp;
      Due.QuadPart = -5 * 10000;
      KeSetTimer(&Extension->Timer, Due, &Extension->Dpc);
      return STATUS_PENDING;
    case 5:  // a wait at DISPATCH_LEVEL
      KeRaiseIrql(DISPATCH_LEVEL, &Irql);
      KeWaitForSingleObject(&Extension->Done, Executive, KernelMode, FALSE, NULL);
      KeLowerIrql(Irql);
      return End(Irp, STATUS_SUCCESS, 0);
    case 6:  // freed twice
      P = ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT');
      ExFreePool(P);
      ExFreePool(P);
      return End(Irp, STATUS_SUCCESS, 0);
    case 7:  // one byte too many
      P = ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT');
      ((volatile UCHAR*)P)[8] = 1;
      ExFreePool(P);
      return End(Irp, STATUS_SUCCESS, 0);
    case 8:  // not given back
      return End(Irp,
                 ExAllocatePoolWithTag(NonPagedPool, 8, 'kaeL') != NULL
                     ? STATUS_SUCCESS
                     : STATUS_INSUFFICIENT_RESOURCES,
                 0);
    case 9:  // the input reversed, in place
      for (ULONG I = 0, N = Stack->Parameters.DeviceIoControl.InputBufferLength; I < N / 2; ++I) {
        UCHAR* Bytes = Irp->AssociatedIrp.SystemBuffer;
        UCHAR Byte = Bytes[I];
        Bytes[I] = Bytes[N - 1 - I];
        Bytes[N - 1 - I] = Byte;
      }
      return End(Irp, STATUS_SUCCESS, Stack->Parameters.DeviceIoControl.InputBufferLength);
    case 10:  // how often it was loaded
      return End(Irp, STATUS_SUCCESS, Loads++);
    case 11:  // the registers of a kernel, as code of another compiler reads them
#define CR8(Read, Write) \
  __asm__ volatile("mov %%cr8, %0\n\tmov %1, %%cr8" : "=&r"(Read) : "r"(Write))
    {
      ULONG64 Before, After, Thread, High = DISPATCH_LEVEL;
      CR8(Before, High);
      CR8(After, Before);
      __asm__ volatile("movq %%gs:0x188, %0" : "=r"(Thread));
      return End(Irp,
                 Before == 0 && After == DISPATCH_LEVEL && Thread == (ULONG64)KeGetCurrentThread()
                     ? STATUS_SUCCESS
                     : STATUS_UNSUCCESSFUL,
                 0);
    }
    case 12: {  // a DPC that is freed once it was removed from its queue
      BOOLEAN Removed;
      P = ExAllocatePoolWithTag(NonPagedPool, sizeof(KDPC), 'tseT');
      if (P == NULL) return End(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
      KeInitializeDpc(P, TimerDpc, Extension);
      KeInsertQueueDpc(P, NULL, NULL);
      Removed = KeRemoveQueueDpc(P) && !KeRemoveQueueDpc(P);
      ExFreePool(P);
      return End(Irp, Removed ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
    }
    default:
      return End(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT Device, PIRP Irp) {
  IoCsqInsertIrp(&((EXTENSION*)Device->DeviceExtension)->Queue, Irp, NULL);
  return STATUS_PENDING;
}
static NTSTATUS NTAPI Write(PDEVICE_OBJECT Device, PIRP Irp) {
  PIRP Waiting = IoCsqRemoveNextIrp(&((EXTENSION*)Device->DeviceExtension)->Queue, NULL);
  if (Waiting != NULL) End(Waiting, STATUS_SUCCESS, 1);
  return End(Irp, STATUS_SUCCESS, 0);
}
static NTSTATUS NTAPI Agree(PDEVICE_OBJECT Device, PIRP Irp) {
  UNREFERENCED_PARAMETER(Device);
  return End(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver) {
  UNICODE_STRING Link;
  RtlInitUnicodeString(&Link, L"\\DosDevices\\services");
  IoDeleteSymbolicLink(&Link);
  IoDeleteDevice(Driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) {
  UNICODE_STRING Name, Link;
  PDEVICE_OBJECT Device;
  EXTENSION* Extension;
  NTSTATUS Status;
  UNREFERENCED_PARAMETER(Path);
  RtlInitUnicodeString(&Name, L"\\Device\\services");
  RtlInitUnicodeString(&Link, L"\\DosDevices\\services");
  Status = IoCreateDevice(Driver, sizeof(EXTENSION), &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
  if (!NT_SUCCESS(Status)) return Status;
  Status = IoCreateSymbolicLink(&Link, &Name);
  if (!NT_SUCCESS(Status)) {
    IoDeleteDevice(Device);
    return Status;
  }
  Device->Flags |= DO_BUFFERED_IO;
  Extension = Device->DeviceExtension;
  KeInitializeSpinLock(&Extension->Lock);
  InitializeListHead(&Extension->Requests);
  KeInitializeTimer(&Extension->Timer);
  KeInitializeDpc(&Extension->Dpc, TimerDpc, Extension);
  KeInitializeEvent(&Extension->Done, NotificationEvent, FALSE);
  IoCsqInitialize(&Extension->Queue, Insert, Remove, Peek, Acquire, Release, Cancelled);
  Driver->MajorFunction[IRP_MJ_CREATE] = Agree;
  Driver->MajorFunction[IRP_MJ_CLOSE] = Agree;
  Driver->MajorFunction[IRP_MJ_CLEANUP] = Agree;
  Driver->MajorFunction[IRP_MJ_READ] = Read;
  Driver->MajorFunction[IRP_MJ_WRITE] = Write;
  Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  Driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
