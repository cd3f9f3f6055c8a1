// IoSetStartIoAttributes, and the documented Cancel routine of a driver with
// StartIo.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kAttributes[] =
    "IoSetStartIoAttributes KeInitializeDeviceQueue IoStartPacket IoStartNextPacket";
constexpr char kCancelFlagSet[] =
    "IoStartPacket KeInitializeDeviceQueue IoStartNextPacket KeRemoveEntryDeviceQueue";

constexpr Case kCases[] = {
    {"sio.attributes.deferred", kAttributes, "SIO-ATTR-01", kNeedsDevice,
     "DeferredStartIo: IoStartNextPacket inside StartIo does not nest, the next StartIo follows.",
     [] {
       InitDevice();
       SetAttributes(true, false);
       start_io_action = [](int) {
         if (w.acts++ > 0) Next();
       };
       Start(0);
       Start(1);
       Start(2);
       Next();
       CHECK("SIO-ATTR-01", StartedIs("0 1 2"));
       for (int i = 0; i < 3; ++i)
         CHECK_EQ("SIO-ATTR-01", EventOf(CallbackKind::kStartIo, i).detail, 1);
       CHECK("SIO-ATTR-01", Current() == nullptr);
     }},

    {"sio.attributes.deferred-cancelable", kAttributes, "SIO-ATTR-01",
     kNeedsDevice | kNeedsCancelLock, "The same with cancelable packets.",
     [] {
       InitDevice();
       SetAttributes(true, false);
       start_io_action = [](int) { Next(true); };
       Start(0, true);
       CHECK("SIO-ATTR-01", StartedIs("0") && Current() == nullptr);
       start_io_action = nullptr;
       Start(1, true);
       Start(2, true);
       start_io_action = [](int) { Next(true); };
       Next(true);
       CHECK("SIO-ATTR-01", StartedIs("0 1 2") && EventOf(CallbackKind::kStartIo, 2).detail == 1);
     }},

    {"sio.attributes.cleared", kAttributes, "SIO-ATTR-02 SIO-ATTR-04",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock,
     "FALSE is what the parameters say: what was set before no longer holds.",
     [] {
       InitDevice();
       SetAttributes(true, true);
       SetAttributes(false, false);
       start_io_action = [](int) {
         if (w.acts++ > 0) Next(true);
       };
       Start(0, true);
       Start(1, true);
       Start(2, true);
       Next(true);
       CHECK_EQ("SIO-ATTR-02", EventOf(CallbackKind::kStartIo, 2).detail, 2);
       CHECK_INSIDE("SIO-ATTR-04", CallbackKind::kStartIo, kCancelRoutineSet, true);
     }},

    {"sio.attributes.default-nests", kAttributes, "SIO-ATTR-02", kNeedsDevice,
     "DeferredStartIo is FALSE unless it was set.",
     [] {
       InitDevice();
       start_io_action = [](int) {
         if (w.acts++ > 0) Next();
       };
       Start(0);
       Start(1);
       Start(2);
       Next();
       CHECK_EQ("SIO-ATTR-02", EventOf(CallbackKind::kStartIo, 2).detail, 2);
     }},

    {"sio.attributes.non-cancelable", kAttributes, "SIO-ATTR-03",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock,
     "NonCancelable: an IRP dequeued by IoStartNextPacket can no longer be cancelled.",
     [] {
       InitDevice();
       SetAttributes(false, true);
       Start(0, true);
       Start(1, true);
       start_io_action = [](int item) {
         CHECK("SIO-ATTR-03", Irp(item)->CancelRoutine == nullptr);
         CHECK_EQ("SIO-ATTR-03", Cancel(item), FALSE);
         ++w.acts;
       };
       Next(true);
       CHECK_EQ("SIO-ATTR-03", w.acts, 1);
       CHECK_EQ("SIO-ATTR-03", Count(CallbackKind::kDriverCancel), 0);
     }},

    {"sio.attributes.non-cancelable-at-once", kAttributes, "SIO-ATTR-03",
     kNeedsDevice | kNeedsCancelLock,
     "Whether that also holds for an IRP started at once by IoStartPacket is a reading.",
     [] {
       InitDevice();
       SetAttributes(false, true);
       Start(0, true);
       CHECK("SIO-ATTR-03", StartedIs("0"));
       NoteReading("AMB-29", (EventOf(CallbackKind::kStartIo).flags & kCancelRoutineSet) == 0
                                 ? "applies to IRPs started at once too"
                                 : "applies to dequeued IRPs only");
     }},

    {"sio.attributes.default-cancelable", kCancelFlagSet, "SIO-ATTR-04",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock,
     "NonCancelable is FALSE unless it was set: the current IRP still has its Cancel routine.",
     [] {
       InitDevice();
       Start(0, true);
       Start(1, true);
       Next(true);
       CHECK_INSIDE("SIO-ATTR-04", CallbackKind::kStartIo, kCancelRoutineSet, true);
       CHECK_EQ("SIO-ATTR-04", Cancel(1), TRUE);
     }},

    {"sio.attributes.any-irql", kAttributes, "SIO-ATTR-05", kNeedsDevice | kNeedsIrql,
     "Callable at any IRQL, also above DISPATCH_LEVEL; returns nothing.",
     [] {
       InitDevice();
       SetIrql(DISPATCH_LEVEL + 1);
       SetAttributes(true, false);
       CHECK_EQ("SIO-ATTR-05", CurrentIrql(), DISPATCH_LEVEL + 1);
       SetIrql(PASSIVE_LEVEL);
       CHECK("SIO-ATTR-05", (kSameType<decltype(Entry().IoSetStartIoAttributes),
                                       VOID(NTAPI*)(PDEVICE_OBJECT, BOOLEAN, BOOLEAN)>));
     }},

    {"sio.cancel.current", kCancelFlagSet, "SIO-CXL-01",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock,
     "The current IRP is cancelled: its Cancel routine finds it current and leaves it.",
     [] {
       InitDevice();
       Start(0, true);
       CHECK_EQ("SIO-CXL-01", Cancel(0), TRUE);
       CHECK_EQ("SIO-CXL-01", Count(CallbackKind::kDriverCancel, 0), 1);
       CHECK_EQ("SIO-CXL-01", Count(CallbackKind::kCompleted), 0);
       CHECK("SIO-CXL-01", Current() == Irp(0));
     }},

    {"sio.cancel.queued", kCancelFlagSet, "SIO-CXL-02",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock | kNeedsCompletion,
     "A queued IRP is cancelled: taken out, completed; StartIo never sees it.",
     [] {
       InitDevice();
       for (int i = 0; i < 4; ++i) Start(i, true);
       CHECK_EQ("SIO-CXL-02", Cancel(2), TRUE);
       CHECK_EQ("SIO-CXL-02", Count(CallbackKind::kCompleted, 2), 1);
       CHECK_INSIDE("SIO-CXL-02", CallbackKind::kCompleted, kFinalStatus, true);
       for (int i = 0; i < 3; ++i) Next(true);
       CHECK("SIO-CXL-02", StartedIs("0 1 3"));
     }},
};

}  // namespace

const CaseTable kStartIoAttributes = TableOf(kCases);

}  // namespace cancelsafe::suite
