// FLT_IS_IRP_OPERATION, and the neighbours of the callback data queue that cancel
// an operation which is in no queue.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr unsigned kNeeds = kNeedsCallbackData | kNeedsFilterCancel;

// The callback data of a cancelled operation; what it saw is in the log.
VOID Canceled(PFLT_CALLBACK_DATA data) {
  int item = kNone;
  for (int i = 0; i < kItems; ++i) {
    if (w.items[i].data == data) item = i;
  }
  NoteEvent(CallbackKind::kDriverCancel, nullptr, item, kNone, 0);
}

BOOLEAN FltCancel(int item) {
  const int call = BeginCall("FltCancelIo", item);
  const BOOLEAN answer = Kernel().flt_cancel_io(w.items[item].data);
  EndCall(call, answer ? "TRUE" : "FALSE");
  return answer;
}

NTSTATUS SetCompletion(int item) {
  const int call = BeginCall("FltSetCancelCompletion", item);
  const NTSTATUS status = Kernel().flt_set_cancel_completion(w.items[item].data, &Canceled);
  EndCallValue(call, status);
  return status;
}

NTSTATUS ClearCompletion(int item) {
  const int call = BeginCall("FltClearCancelCompletion", item);
  const NTSTATUS status = Kernel().flt_clear_cancel_completion(w.items[item].data);
  EndCallValue(call, status);
  return status;
}

constexpr Case kCases[] = {
    {"cbdq.is-irp-operation.value", "FLT_IS_IRP_OPERATION", "CBDQ-ISIRP-01 CBDQ-ISIRP-02",
     kNeedsNothing, "The masked bit of Flags, not a BOOLEAN.",
     [] {
       FLT_CALLBACK_DATA data = {};
       data.Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION | FLTFL_CALLBACK_DATA_SYSTEM_BUFFER;
       CHECK_EQ("CBDQ-ISIRP-01 CBDQ-ISIRP-02", FLT_IS_IRP_OPERATION(&data), 1);
       data.Flags = FLTFL_CALLBACK_DATA_FAST_IO_OPERATION;
       CHECK_EQ("CBDQ-ISIRP-01", FLT_IS_IRP_OPERATION(&data), 0);
       data.Flags = FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION | FLTFL_CALLBACK_DATA_SYSTEM_BUFFER;
       CHECK_EQ("CBDQ-ISIRP-01", FLT_IS_IRP_OPERATION(&data), 0);
       CHECK("CBDQ-ISIRP-02",
             (kSameType<decltype(FLT_IS_IRP_OPERATION(&data)), FLT_CALLBACK_DATA_FLAGS>));
     }},

    {"cbdq.flags.one-kind", "FltCancelIo", "CBDQ-ISIRP-03", kNeedsCallbackData,
     "Exactly one of the three kinds of operation is flagged.",
     [] {
       const PFLT_CALLBACK_DATA all[] = {w.items[0].data, Kernel().make_callback_data(nullptr)};
       for (const PFLT_CALLBACK_DATA data : all) {
         const ULONG kinds = data->Flags & 7;
         CHECK("CBDQ-ISIRP-03", kinds == 1 || kinds == 2 || kinds == 4);
       }
     }},

    {"cbdq.cancel-io.answers", "FltCancelIo", "CBDQ-FCIO-01", kNeeds,
     "TRUE if cancelled; FALSE without IRP, without Cancel routine, or a second time.",
     [] {
       SetCompletion(0);
       CHECK_EQ("CBDQ-FCIO-01", FltCancel(0), TRUE);
       CHECK_EQ("CBDQ-FCIO-01", FltCancel(0), FALSE);
       CHECK_EQ("CBDQ-FCIO-01", FltCancel(1), FALSE);
       CHECK_EQ("CBDQ-FCIO-01", Kernel().flt_cancel_io(Kernel().make_callback_data(nullptr)),
                FALSE);
     }},

    {"cbdq.cancel-io.effect", "FltCancelIo", "CBDQ-FCIO-02", kNeeds,
     "Sets Cancel in both cases, and runs the Cancel routine if there is one.",
     [] {
       SetCompletion(0);
       FltCancel(0);
       CHECK("CBDQ-FCIO-02", Irp(0)->Cancel == TRUE && Count(CallbackKind::kDriverCancel, 0) == 1);
       CHECK_EQ("CBDQ-FCIO-02", FltCancel(1), FALSE);
       CHECK("CBDQ-FCIO-02", Irp(1)->Cancel == TRUE && Count(CallbackKind::kDriverCancel, 1) == 0);
     }},

    {"cbdq.cancel-io.queued", "FltCancelIo FltCbdqInitialize FltCbdqInsertIo", "CBDQ-FCIO-02",
     kNeeds, "On an item of a callback data queue it does what IoCancelIrp does.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       CHECK_EQ("CBDQ-FCIO-02", FltCancel(0), TRUE);
       CHECK_TRACE("CBDQ-FCIO-02", LastCall(), "A R0 U C0");
     }},

    {"cbdq.cancel-io.irql", "FltCancelIo", "CBDQ-FCIO-04", kNeeds | kNeedsIrql,
     "FltCancelIo and FltSetCancelCompletion up to DISPATCH_LEVEL, clearing at any level.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CBDQ-FCIO-04", SetCompletion(level), STATUS_SUCCESS);
         CHECK_EQ("CBDQ-FCIO-04", FltCancel(level), TRUE);
         CHECK_EQ("CBDQ-FCIO-04", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
       SetCompletion(4);
       SetIrql(DISPATCH_LEVEL + 1);
       CHECK_EQ("CBDQ-FCIO-04", ClearCompletion(4), STATUS_SUCCESS);
       SetIrql(PASSIVE_LEVEL);
     }},

    {"cbdq.clear-cancel-completion.answers", "FltClearCancelCompletion", "CBDQ-FSCC-01", kNeeds,
     "STATUS_SUCCESS if a routine was there, STATUS_CANCELLED if none or it was taken.",
     [] {
       CHECK_EQ("CBDQ-FSCC-01", ClearCompletion(0), STATUS_CANCELLED);
       SetCompletion(0);
       CHECK_EQ("CBDQ-FSCC-01", ClearCompletion(0), STATUS_SUCCESS);
       SetCompletion(1);
       FltCancel(1);
       CHECK_EQ("CBDQ-FSCC-01", ClearCompletion(1), STATUS_CANCELLED);
     }},

    {"cbdq.set-cancel-completion.no-lock", "FltSetCancelCompletion", "CBDQ-FSCC-02",
     kNeeds | kNeedsCancelLock, "The callback runs without the cancel spin lock.",
     [] {
       SetCompletion(0);
       FltCancel(0);
       CHECK_EQ("CBDQ-FSCC-02", Count(CallbackKind::kDriverCancel, 0), 1);
       CHECK_INSIDE("CBDQ-FSCC-02", CallbackKind::kDriverCancel, kCancelLockHeld, false);
     }},
};

}  // namespace

const CaseTable kFilterOperations = TableOf(kCases);

}  // namespace cancelsafe::suite
