/* A cancel-safe queue as the source of a kernel has it: the headers in their usual
 * spellings, annotations, assertions, debug output. Compiled by the tests with the flags
 * that the README names, and nothing else. */
#include <fltkernel.h>
#include <ntifs.h>

#define TAG_CSQ 'qsCI'

C_ASSERT(FIELD_OFFSET(IO_CSQ, Type) == FIELD_OFFSET(IO_CSQ_IRP_CONTEXT, Type));
C_ASSERT(RTL_NUMBER_OF(((PIRP)0)->Tail.Overlay.DriverContext) == 4);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(PAGE, IoCsqInitialize)
#pragma alloc_text(PAGE, IoCsqInitializeEx)
#endif

/* Slot 3 of the driver's context holds the queue, or the context of the insertion. */
#define IopCsqSlot(Irp) ((Irp)->Tail.Overlay.DriverContext[3])

static _Ret_maybenull_ PIO_CSQ_IRP_CONTEXT IopCsqContext(_In_ PIRP Irp) {
  PULONG Type = (PULONG)IopCsqSlot(Irp);
  ASSERT(Type != NULL);
  NT_ASSERT(*Type == IO_TYPE_CSQ || *Type == IO_TYPE_CSQ_EX || *Type == IO_TYPE_CSQ_IRP_CONTEXT);
  return *Type == IO_TYPE_CSQ_IRP_CONTEXT ? (PIO_CSQ_IRP_CONTEXT)Type : NULL;
}

_Requires_lock_held_(Csq) static VOID IopCsqForget(_In_ PIO_CSQ Csq, _Inout_ PIRP Irp) {
  PIO_CSQ_IRP_CONTEXT Context = IopCsqContext(Irp);

  UNREFERENCED_PARAMETER(Csq);
  if (Context != NULL) {
    ASSERT(Context->Irp == Irp);
    InterlockedExchangePointer((PVOID volatile*)&Context->Irp, NULL);
  }
  IopCsqSlot(Irp) = NULL;
}

_Function_class_(DRIVER_CANCEL) _IRQL_requires_(DISPATCH_LEVEL)
    _Requires_lock_held_(_Global_cancel_spin_lock_)
        _Releases_lock_(_Global_cancel_spin_lock_) static VOID NTAPI
    IopCsqCancelRoutine(_Inout_ PDEVICE_OBJECT DeviceObject, _Inout_ _IRQL_uses_cancel_ PIRP Irp) {
  PIO_CSQ_IRP_CONTEXT Context;
  PIO_CSQ Csq;
  KIRQL Irql;

  UNREFERENCED_PARAMETER(DeviceObject);
  IoReleaseCancelSpinLock(Irp->CancelIrql);

  Context = IopCsqContext(Irp);
  Csq = Context != NULL ? Context->Csq : (PIO_CSQ)IopCsqSlot(Irp);

  Csq->CsqAcquireLock(Csq, &Irql);
  Csq->CsqRemoveIrp(Csq, Irp);
  IopCsqForget(Csq, Irp);
  Csq->CsqReleaseLock(Csq, Irql);

  KdPrint(("IRP %p was cancelled in queue %p\n", Irp, Csq));
  Csq->CsqCompleteCanceledIrp(Csq, Irp);
}

static VOID IopCsqFillIn(_Out_ PIO_CSQ Csq, ULONG Type, PIO_CSQ_REMOVE_IRP RemoveIrp,
                         PIO_CSQ_PEEK_NEXT_IRP PeekNextIrp, PIO_CSQ_ACQUIRE_LOCK AcquireLock,
                         PIO_CSQ_RELEASE_LOCK ReleaseLock,
                         PIO_CSQ_COMPLETE_CANCELED_IRP CompleteCanceledIrp) {
  /* At any IRQL, so not from the pool. */
  IO_CSQ Draft;

  if (Csq == NULL) KeBugCheckEx(MANUALLY_INITIATED_CRASH, Type, 0, 0, 0);
  RtlZeroMemory(&Draft, sizeof(Draft));
  Draft.Type = Type;
  Draft.CsqRemoveIrp = RemoveIrp;
  Draft.CsqPeekNextIrp = PeekNextIrp;
  Draft.CsqAcquireLock = AcquireLock;
  Draft.CsqReleaseLock = ReleaseLock;
  Draft.CsqCompleteCanceledIrp = CompleteCanceledIrp;
  RtlCopyMemory(Csq, &Draft, sizeof(*Csq));
}

/* What a debugger would be told of a removal: a record from the pool, for a moment. */
_IRQL_requires_max_(DISPATCH_LEVEL) static VOID IopCsqTrace(_In_ PIO_CSQ Csq, _In_opt_ PIRP Irp) {
  PULONG_PTR Record = ExAllocatePoolWithTag(NonPagedPool, 2 * sizeof(ULONG_PTR), TAG_CSQ);

  if (Record == NULL) return;
  Record[0] = (ULONG_PTR)Csq;
  Record[1] = (ULONG_PTR)Irp;
  KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_TRACE_LEVEL, "%p gave %p\n", Record[0], Record[1]));
  ExFreePoolWithTag(Record, TAG_CSQ);
}

NTSTATUS NTAPI IoCsqInitialize(_In_ PIO_CSQ Csq, _In_ PIO_CSQ_INSERT_IRP CsqInsertIrp,
                               _In_ PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               _In_ PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                               _In_ PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               _In_ PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               _In_ PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  IopCsqFillIn(Csq, IO_TYPE_CSQ, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
               CsqCompleteCanceledIrp);
  Csq->CsqInsertIrp = CsqInsertIrp;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInitializeEx(_In_ PIO_CSQ Csq, _In_ PIO_CSQ_INSERT_IRP_EX CsqInsertIrpEx,
                                 _In_ PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 _In_ PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                                 _In_ PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 _In_ PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 _In_ PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  IopCsqFillIn(Csq, IO_TYPE_CSQ_EX, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
               CsqCompleteCanceledIrp);
  Csq->CsqInsertIrp = (PIO_CSQ_INSERT_IRP)CsqInsertIrpEx;
  return STATUS_SUCCESS;
}

_Requires_lock_not_held_(Csq) NTSTATUS NTAPI
    IoCsqInsertIrpEx(_Inout_ PIO_CSQ Csq, _Inout_ PIRP Irp, _Out_opt_ PIO_CSQ_IRP_CONTEXT Context,
                     _In_opt_ PVOID InsertContext) {
  NTSTATUS Status = STATUS_SUCCESS;
  BOOLEAN Cancelled = FALSE;
  KIRQL Irql;

  Csq->CsqAcquireLock(Csq, &Irql);

  if (ARGUMENT_PRESENT(Context)) {
    Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
    Context->Csq = Csq;
    InterlockedExchangePointer((PVOID volatile*)&Context->Irp, Irp);
    IopCsqSlot(Irp) = Context;
  } else {
    IopCsqSlot(Irp) = Csq;
  }

  if (Csq->Type == IO_TYPE_CSQ_EX) {
    Status = ((PIO_CSQ_INSERT_IRP_EX)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
  } else {
    Csq->CsqInsertIrp(Csq, Irp);
  }
  if (!NT_SUCCESS(Status)) {
    IopCsqForget(Csq, Irp);
    Csq->CsqReleaseLock(Csq, Irql);
    return Status;
  }

  IoMarkIrpPending(Irp);
  (VOID) IoSetCancelRoutine(Irp, IopCsqCancelRoutine);
  if (ReadBooleanAcquire(&Irp->Cancel) && IoSetCancelRoutine(Irp, NULL) != NULL) {
    Csq->CsqRemoveIrp(Csq, Irp);
    IopCsqForget(Csq, Irp);
    Cancelled = TRUE;
  }
  Csq->CsqReleaseLock(Csq, Irql);

  if (Cancelled) Csq->CsqCompleteCanceledIrp(Csq, Irp);
  return Status;
}

VOID NTAPI IoCsqInsertIrp(_Inout_ PIO_CSQ Csq, _Inout_ PIRP Irp,
                          _Out_opt_ PIO_CSQ_IRP_CONTEXT Context) {
  (VOID) IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

_Must_inspect_result_ PIRP NTAPI IoCsqRemoveIrp(_Inout_ PIO_CSQ Csq,
                                                _Inout_ PIO_CSQ_IRP_CONTEXT Context) {
  PIRP Irp;
  KIRQL Irql;

  Csq->CsqAcquireLock(Csq, &Irql);
  Irp = ReadPointerAcquire((PVOID volatile*)&Context->Irp);
  if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) != NULL) {
    ASSERT(Context->Csq == Csq);
    Csq->CsqRemoveIrp(Csq, Irp);
    IopCsqForget(Csq, Irp);
  } else {
    Irp = NULL;
  }
  Csq->CsqReleaseLock(Csq, Irql);
  return Irp;
}

_Must_inspect_result_ PIRP NTAPI IoCsqRemoveNextIrp(_Inout_ PIO_CSQ Csq,
                                                    _In_opt_ PVOID PeekContext) {
  PIRP Irp = NULL;
  KIRQL Irql;

  Csq->CsqAcquireLock(Csq, &Irql);
  do {
    Irp = Csq->CsqPeekNextIrp(Csq, Irp, PeekContext);
  } while (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL);
  if (Irp != NULL) {
    Csq->CsqRemoveIrp(Csq, Irp);
    IopCsqForget(Csq, Irp);
  }
  Csq->CsqReleaseLock(Csq, Irql);
  IopCsqTrace(Csq, Irp);
  return Irp;
}
