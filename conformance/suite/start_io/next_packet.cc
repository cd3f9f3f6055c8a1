// IoStartNextPacket and IoStartNextPacketByKey: which IRP comes next, and the end
// of the busy state of the device.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kNext[] = "IoStartNextPacket KeInitializeDeviceQueue IoStartPacket";
constexpr char kNextCancel[] =
    "IoStartNextPacket KeInitializeDeviceQueue IoStartPacket KeRemoveEntryDeviceQueue";
constexpr char kNextByKey[] =
    "IoStartNextPacketByKey KeInitializeDeviceQueue IoStartPacket IoStartNextPacket";
constexpr char kNextByKeyCancel[] =
    "IoStartNextPacketByKey KeInitializeDeviceQueue IoStartPacket KeRemoveEntryDeviceQueue";

constexpr Case kCases[] = {
    {"sio.next.starts-next", kNext, "SIO-NEXT-01 SIO-NEXT-05", kNeedsDevice,
     "Takes the next IRP off the queue and calls StartIo with it, as the current one.",
     [] {
       InitDevice();
       Start(0);
       Start(1);
       Next();
       CHECK("SIO-NEXT-01", StartedIs("0 1"));
       CHECK_INSIDE("SIO-NEXT-05", CallbackKind::kStartIo, kLinked, true);
       CHECK("SIO-NEXT-05", Current() == Irp(1));
     }},

    {"sio.next.head", kNext, "SIO-NEXT-02", kNeedsDevice, "The head of the queue is taken.",
     [] {
       InitDevice();
       for (int i = 0; i < 4; ++i) Start(i);
       Next();
       Next();
       CHECK("SIO-NEXT-02", StartedIs("0 1 2"));
     }},

    {"sio.next.empty", kNext, "SIO-NEXT-03 SIO-NEXT-04 SIO-NEXT-05", kNeedsDevice,
     "Nothing queued: no StartIo, CurrentIrp NULL, and the next packet starts at once.",
     [] {
       InitDevice();
       Start(0);
       Next();
       CHECK("SIO-NEXT-03", StartedIs("0"));
       CHECK("SIO-NEXT-05", Current() == nullptr);
       Start(1);
       CHECK("SIO-NEXT-04", StartedIs("0 1"));
       CHECK("SIO-NEXT-04", Current() == Irp(1));
     }},

    {"sio.next.cancelable", kNextCancel, "SIO-NEXT-06",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock | kNeedsCancelLockCount,
     "Cancelable: the cancel spin lock is taken around the queue, and is free inside StartIo.",
     [] {
       InitDevice();
       for (int i = 0; i < 3; ++i) Start(i, true);
       const int before = Kernel().cancel_lock_count();
       Next(true);
       CHECK("SIO-NEXT-06", Kernel().cancel_lock_count() > before);
       CHECK_INSIDE("SIO-NEXT-06", CallbackKind::kStartIo, kCancelLockHeld, false);
       CHECK_EQ("SIO-NEXT-06", Cancel(2), TRUE);
       Next(true);
       CHECK("SIO-NEXT-06", StartedIs("0 1") && Current() == nullptr);
     }},

    {"sio.next.irql", kNext, "SIO-NEXT-08", kNeedsDevice | kNeedsIrql,
     "Called at DISPATCH_LEVEL it returns at DISPATCH_LEVEL; StartIo runs there.",
     [] {
       InitDevice();
       Start(0);
       Start(1);
       SetIrql(DISPATCH_LEVEL);
       Next();
       CHECK_EQ("SIO-NEXT-08", CurrentIrql(), DISPATCH_LEVEL);
       CHECK_EQ("SIO-NEXT-08", EventOf(CallbackKind::kStartIo, 1).irql, DISPATCH_LEVEL);
       Next();
       CHECK_EQ("SIO-NEXT-08", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"sio.next.recursion", kNext, "SIO-NEXT-11 SIO-ATTR-02", kNeedsDevice,
     "Called inside StartIo, without the deferred attribute, it goes into StartIo again.",
     [] {
       InitDevice();
       start_io_action = [](int) {
         if (w.acts++ > 0) Next();
       };
       Start(0);
       Start(1);
       Start(2);
       Next();
       CHECK("SIO-NEXT-11", StartedIs("0 1 2"));
       CHECK_EQ("SIO-NEXT-11 SIO-ATTR-02", EventOf(CallbackKind::kStartIo, 1).detail, 1);
       CHECK_EQ("SIO-NEXT-11 SIO-ATTR-02", EventOf(CallbackKind::kStartIo, 2).detail, 2);
     }},

    {"sio.next-by-key.chooses", kNextByKey, "SIO-NKEY-01", kNeedsDevice,
     "The IRP is chosen by the key, as KeRemoveByKeyDeviceQueue does.",
     [] {
       InitDevice();
       Start(0);
       StartByKey(1, 10);
       StartByKey(2, 20);
       StartByKey(3, 30);
       NextByKey(15);
       NextByKey(30);
       NextByKey(99);
       CHECK("SIO-NKEY-01", StartedIs("0 2 3 1"));
       CHECK("SIO-NKEY-01", Current() == Irp(1));
     }},

    {"sio.next-by-key.empty", kNextByKey, "SIO-NKEY-02", kNeedsDevice,
     "Nothing queued: no StartIo, and the device is idle.",
     [] {
       InitDevice();
       Start(0);
       NextByKey(5);
       CHECK("SIO-NKEY-02", StartedIs("0") && Current() == nullptr);
       Start(1);
       CHECK("SIO-NKEY-02", StartedIs("0 1"));
     }},

    {"sio.next-by-key.cancelable", kNextByKeyCancel, "SIO-NKEY-03",
     kNeedsDevice | kNeedsCancel | kNeedsCancelLock | kNeedsCancelLockCount,
     "Cancelable: the cancel spin lock is taken around the queue, and is free inside StartIo.",
     [] {
       InitDevice();
       Start(0, true);
       StartByKey(1, 7, true);
       StartByKey(2, 8, true);
       const int before = Kernel().cancel_lock_count();
       NextByKey(8, true);
       CHECK("SIO-NKEY-03", Kernel().cancel_lock_count() > before);
       CHECK("SIO-NKEY-03", StartedIs("0 2"));
       CHECK_INSIDE("SIO-NKEY-03", CallbackKind::kStartIo, kCancelLockHeld, false);
       CHECK_EQ("SIO-NKEY-03", Cancel(1), TRUE);
       NextByKey(0, true);
       CHECK("SIO-NKEY-03", StartedIs("0 2"));
     }},

    {"sio.next-by-key.irql", kNextByKey, "SIO-NKEY-04", kNeedsDevice | kNeedsIrql,
     "Callable up to DISPATCH_LEVEL; the level is the caller's on return.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         if (w.device != nullptr) Kernel().delete_device(w.device);
         InitDevice();
         Start(2 * level);
         Start(2 * level + 1);
         SetIrql(static_cast<KIRQL>(level));
         const int call = BeginCall("IoStartNextPacketByKey", kNone, "key 3");
         Entry().IoStartNextPacketByKey(w.device, FALSE, 3);
         EndCall(call);
         CHECK_EQ("SIO-NKEY-04", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
         CHECK("SIO-NKEY-04", Current() == Irp(2 * level + 1));
       }
     }},
};

}  // namespace

const CaseTable kStartNextPacket = TableOf(kCases);

}  // namespace cancelsafe::suite
