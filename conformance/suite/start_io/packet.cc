// IoStartPacket: at once when the device is idle, into the device queue when it
// is not, and what a CancelFunction changes.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kStart[] = "IoStartPacket KeInitializeDeviceQueue";
constexpr char kStartNext[] = "IoStartPacket KeInitializeDeviceQueue IoStartNextPacket";
constexpr char kStartCancel[] =
    "IoStartPacket KeInitializeDeviceQueue IoStartNextPacket KeRemoveEntryDeviceQueue";

constexpr Case kCases[] = {
    {"sio.start.idle", kStart, "SIO-START-01 SIO-START-10", kNeedsDevice,
     "Idle device: StartIo runs with this IRP, as the current one, before the call returns.",
     [] {
       InitDevice();
       Start(0);
       CHECK("SIO-START-01", StartedIs("0"));
       CHECK_INSIDE("SIO-START-10", CallbackKind::kStartIo, kLinked, true);
       CHECK("SIO-START-10", Current() == Irp(0));
       CHECK("SIO-START-01", IsListEmpty(&w.device->DeviceQueue.DeviceListHead));
     }},

    {"sio.start.busy", kStartNext, "SIO-START-02", kNeedsDevice,
     "Busy device: the IRP is queued and StartIo is not called.",
     [] {
       InitDevice();
       Start(0);
       Start(1);
       CHECK("SIO-START-02", StartedIs("0"));
       CHECK("SIO-START-02", Current() == Irp(0));
       Next();
       CHECK("SIO-START-02", StartedIs("0 1"));
     }},

    {"sio.start.device-queue-entry", kStartCancel, "SIO-START-03", kNeedsDevice,
     "Queued in the device's own queue by the IRP's DeviceQueueEntry, keyed or not.",
     [] {
       InitDevice();
       Start(0);
       Start(1);
       StartByKey(2, 9);
       CHECK_EQ("SIO-START-03",
                Entry().KeRemoveEntryDeviceQueue(&w.device->DeviceQueue,
                                                 &Irp(1)->Tail.Overlay.DeviceQueueEntry),
                TRUE);
       CHECK_EQ("SIO-START-03",
                Entry().KeRemoveEntryDeviceQueue(&w.device->DeviceQueue,
                                                 &Irp(2)->Tail.Overlay.DeviceQueueEntry),
                TRUE);
       CHECK_EQ("SIO-START-03",
                Entry().KeRemoveEntryDeviceQueue(&w.device->DeviceQueue,
                                                 &Irp(0)->Tail.Overlay.DeviceQueueEntry),
                FALSE);
       Next();
       CHECK("SIO-START-03", StartedIs("0"));
     }},

    {"sio.start.by-key", kStartNext, "SIO-START-04", kNeedsDevice,
     "With a key the position follows the key.",
     [] {
       InitDevice();
       Start(0);
       StartByKey(1, 30);
       StartByKey(2, 10);
       StartByKey(3, 20);
       for (int i = 0; i < 3; ++i) Next();
       CHECK("SIO-START-04", StartedIs("0 2 3 1"));
     }},

    {"sio.start.without-key", kStartNext, "SIO-START-05", kNeedsDevice,
     "Without a key the IRP goes to the tail.",
     [] {
       InitDevice();
       for (int i = 0; i < 4; ++i) Start(i);
       for (int i = 0; i < 3; ++i) Next();
       CHECK("SIO-START-05", StartedIs("0 1 2 3"));
       StartByKey(4, 9);
       Start(5);
       Next();
       Next();
       CHECK("SIO-START-05", StartedIs("0 1 2 3 4 5"));
     }},

    {"sio.start.zero-key", kStartNext, "SIO-START-05", kNeedsDevice,
     "A pointer to a key of 0: the pages leave open whether that is the tail. A reading.",
     [] {
       InitDevice();
       Start(0);
       StartByKey(1, 5);
       StartByKey(2, 0);
       Next();
       Next();
       const bool tail = StartedIs("0 1 2");
       CHECK("SIO-START-05", tail || StartedIs("0 2 1"));
       NoteReading("AMB-25", tail ? "a key of 0 means the tail" : "a key of 0 is a key");
     }},

    {"sio.start.cancel-function", kStartCancel, "SIO-START-06 SIO-CXL-02",
     kNeedsDevice | kNeedsCancel,
     "The CancelFunction is stored: a cancel of the queued IRP reaches it.",
     [] {
       InitDevice();
       Start(0, true);
       Start(1, true);
       CHECK("SIO-START-06", Irp(1)->CancelRoutine == &CancelOfDriver);
       CHECK_EQ("SIO-START-06", Cancel(1), TRUE);
       CHECK_EQ("SIO-START-06", Count(CallbackKind::kDriverCancel, 1), 1);
       CHECK_EQ("SIO-CXL-02", w.items[1].completions, Kernel().complete_request != nullptr);
       Next(true);
       CHECK("SIO-CXL-02", StartedIs("0"));
     }},

    {"sio.start.no-cancel-function", kStart, "SIO-START-06", kNeedsDevice,
     "Without a CancelFunction the IRP gets no Cancel routine.",
     [] {
       InitDevice();
       Start(0);
       Start(1);
       CHECK("SIO-START-06", Irp(1)->CancelRoutine == nullptr);
     }},

    {"sio.start.irql", kStart, "SIO-START-07 SIO-START-08", kNeedsDevice | kNeedsIrql,
     "Callable up to DISPATCH_LEVEL; StartIo always runs at DISPATCH_LEVEL; level restored.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         if (w.device != nullptr) Kernel().delete_device(w.device);
         InitDevice();
         SetIrql(static_cast<KIRQL>(level));
         Start(level, level == 1);
         CHECK_EQ("SIO-START-07 SIO-START-08", CurrentIrql(), level);
         CHECK_EQ("SIO-START-07", EventOf(CallbackKind::kStartIo, level).irql, DISPATCH_LEVEL);
         // Queuing goes a way of its own.
         Start(level + 3, level == 1);
         CHECK_EQ("SIO-START-07 SIO-START-08", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"sio.start.one-at-a-time", kStartNext, "SIO-START-12", kNeedsDevice | kNeedsCompletion,
     "StartIo is entered for one IRP at a time, each one once.",
     [] {
       InitDevice();
       for (int i = 0; i < 4; ++i) {
         Start(i);
         CHECK_EQ("SIO-START-12", Count(CallbackKind::kStartIo), 1);
       }
       for (int i = 0; i < 4; ++i) {
         CHECK("SIO-START-12", Current() == Irp(i));
         FinishCurrent(i);
         CHECK_EQ("SIO-START-12", Count(CallbackKind::kStartIo), i < 3 ? i + 2 : 4);
       }
     }},

    {"sio.start.already-cancelled", kStartCancel, "SIO-START-13", kNeedsDevice | kNeedsCancel,
     "What happens to an already cancelled IRP is not described: a reading.",
     [] {
       InitDevice();
       Start(0, true);
       Cancel(1);
       Start(1, true);
       CHECK("SIO-START-13", w.items[1].ended ? Count(CallbackKind::kDriverCancel, 1) == 1
                                              : Count(CallbackKind::kDriverCancel, 1) <= 1);
       NoteReading("AMB-28", Count(CallbackKind::kDriverCancel, 1) == 1
                                 ? "cancel function called at once when queued"
                                 : "left to StartIo");
     }},

    {"sio.start.cancel-window", kStartCancel, "SIO-START-14 SIO-CXL-01",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock,
     "The cancel spin lock is free inside StartIo, where a cancel can slip in before StartIo "
     "takes it; the Cancel routine leaves the current IRP alone.",
     [] {
       InitDevice();
       start_io_action = [](int item) {
         CHECK("SIO-START-14", !Kernel().cancel_lock_held());
         CHECK_EQ("SIO-START-14", Cancel(item), TRUE);
         CHECK("SIO-START-14 SIO-CXL-01", Irp(item)->Cancel == TRUE && Current() == Irp(item));
       };
       Start(0, true);
       CHECK_INSIDE("SIO-START-14", CallbackKind::kStartIo, kCancelLockHeld, false);
       CHECK_EQ("SIO-CXL-01", Count(CallbackKind::kDriverCancel, 0), 1);
       CHECK_EQ("SIO-CXL-01", Count(CallbackKind::kCompleted), 0);
       CHECK("SIO-CXL-01", Current() == Irp(0));
     }},

    {"sio.start.uses-cancel-lock", kStart, "SIO-START-14",
     kNeedsDevice | kNeedsCancelLockCount | kNeedsCancelLock,
     "With a CancelFunction the cancel spin lock is taken, and given back before return.",
     [] {
       InitDevice();
       const int before = Kernel().cancel_lock_count();
       Start(0, true);
       CHECK("SIO-START-14", Kernel().cancel_lock_count() > before);
       const int between = Kernel().cancel_lock_count();
       Start(1, true);
       CHECK("SIO-START-14", Kernel().cancel_lock_count() > between);
       CHECK("SIO-START-14", !Kernel().cancel_lock_held());
     }},
};

}  // namespace

const CaseTable kStartPacket = TableOf(kCases);

}  // namespace cancelsafe::suite
