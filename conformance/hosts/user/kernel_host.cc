// See kernel_host.h. One virtual processor, since the suite is single-threaded; a
// lock that would have to be waited for is a deadlock.
#include "conformance/hosts/user/kernel_host.h"

#include "conformance/suite/case.h"
#include "conformance/suite/world.h"
#include "impl/image_format.h"
#include "impl/kernel/filter_manager.h"
#include "impl/kernel/irp.h"
#include "impl/kernel/platform.h"

namespace cancelsafe::conformance {

namespace {

KiProcessor processor;
void (*exchange_hook)(const volatile void*) = nullptr;
const volatile void* cancel_lock = nullptr;
int cancel_lock_count = 0;
int lock_count = 0;

KiProcessor* TheProcessor() { return &processor; }

void OnPoint(KiPoint kind, const volatile void* object) {
  if (kind == kPointInterlocked && exchange_hook != nullptr) exchange_hook(object);
  if (kind == kPointAcquire) ++(object == cancel_lock ? cancel_lock_count : lock_count);
}

void ForgetLocks() {
  processor.held_count = 0;
  processor.cancel_lock_held = FALSE;
  processor.irql = PASSIVE_LEVEL;
  KiResetCancelLock();
}

void OnBlock(const volatile void*) {
  ForgetLocks();
  suite::Abandon("", "the call waits for a lock that is never released: deadlock");
}

void OnWake(const volatile void*) {}

void OnViolation(const KiViolation* violation) {
  if (violation->kind == kHostLimit) {
    ForgetLocks();
    suite::NoteNotRun(violation->routine);
    suite::Abandon("", "the host lacks what the call needs");
  }
  suite::NoteViolation(KiViolationName(violation->kind), KiViolationClause(violation->kind));
}

const KiPlatform platform = {&TheProcessor, &OnPoint, &OnBlock, &OnWake, &OnViolation};

// Learns the cancel spin lock's address from the point before its acquisition.
void LearnCancelLock(KiPoint kind, const volatile void* object) {
  if (kind == kPointAcquire) cancel_lock = object;
}

int LocksHeld() {
  int count = 0;
  for (int i = 0; i < processor.held_count; ++i) count += !processor.held[i].is_mutex;
  return count;
}

DEVICE_OBJECT device;
DEVOBJ_EXTENSION extension;
DRIVER_OBJECT driver;

PDEVICE_OBJECT CreateDevice(PDRIVER_STARTIO start_io) {
  driver = DRIVER_OBJECT();
  driver.DriverStartIo = start_io;
  KiPlaceDevice(&device, &extension, &driver);
  return &device;
}

PFLT_CALLBACK_DATA MakeCallbackData(PIRP irp) {
  // One case makes fewer than this many.
  static KiCallbackData pool[2 * suite::kItems];
  static int next = 0;
  KiCallbackData* storage = &pool[next++ % (2 * suite::kItems)];
  return KiPlaceCallbackData(storage, irp, nullptr);
}

}  // namespace

suite::Host MakeKernelHost(const Implementation& implementation) {
  KiPlatform learner = platform;
  learner.point = &LearnCancelLock;
  KiSetPlatform(&learner);
  KIRQL irql = PASSIVE_LEVEL;
  IoAcquireCancelSpinLock(&irql);
  IoReleaseCancelSpinLock(irql);
  KiSetPlatform(&platform);

  suite::Host host;
#define CANCELSAFE_COPY_ENTRY(type, name, parameters) host.entry.name = implementation.name;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COPY_ENTRY)
#undef CANCELSAFE_COPY_ENTRY
  suite::Services& kernel = host.kernel;
  kernel.allocate_irp = &IoAllocateIrp;
  kernel.free_irp = &IoFreeIrp;
  kernel.complete_request = &IofCompleteRequest;
  kernel.cancel_irp = &IoCancelIrp;
  kernel.acquire_cancel_lock = &IoAcquireCancelSpinLock;
  kernel.release_cancel_lock = &IoReleaseCancelSpinLock;
  kernel.current_irql = &KeGetCurrentIrql;
  kernel.raise_irql = &KfRaiseIrql;
  kernel.lower_irql = &KeLowerIrql;
  kernel.cancel_lock_held = [] { return KiCancelLockHeld() != FALSE; };
  kernel.cancel_lock_count = [] { return cancel_lock_count; };
  kernel.lock_count = [] { return lock_count; };
  kernel.locks_held = &LocksHeld;
  kernel.set_exchange_hook = [](void (*hook)(const volatile void*)) { exchange_hook = hook; };
  const ImageParts* const image = ImagePartsOf(implementation);
  if (image != nullptr && image->has_own_locks) {
    kernel.cancel_lock_held = nullptr;
    kernel.cancel_lock_count = kernel.lock_count = kernel.locks_held = nullptr;
  }
  kernel.create_device = &CreateDevice;
  kernel.delete_device = [](PDEVICE_OBJECT) {};
  kernel.make_callback_data = &MakeCallbackData;
  kernel.complete_pended_pre_operation = &FltCompletePendedPreOperation;
  kernel.flt_cancel_io = &FltCancelIo;
  kernel.flt_set_cancel_completion = &FltSetCancelCompletion;
  kernel.flt_clear_cancel_completion = &FltClearCancelCompletion;
  return host;
}

}  // namespace cancelsafe::conformance
