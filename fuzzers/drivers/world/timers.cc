// What a driver has called later, at DISPATCH_LEVEL: DPCs and timers; and the virtual time.
#include <algorithm>
#include <iterator>

#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

// ---- DPCs ----

typedef void(CANCELSAFE_MS_ABI* DpcRoutine)(PKDPC dpc, PVOID context, PVOID first, PVOID second);

// It is in the queue no longer.
void Withdraw(QueuedDpc* queued) {
  std::vector<QueuedDpc*>& all = TheState().queued_dpcs;
  queued->live = false;
  all.erase(std::remove(all.begin(), all.end(), queued), all.end());
}
void Withdraw(PKDPC dpc) {
  std::vector<QueuedDpc*>& all = TheState().queued_dpcs;
  for (size_t i = all.size(); i-- > 0;) {
    if (all[i]->dpc == dpc) Withdraw(all[i]);
  }
}

// Where a record lies depends on what the same fiber has queued before, as in the pool: it is the
// same in all runs of a search.
QueuedDpc* NewRecord() {
  static auto* const records = new std::deque<QueuedDpc>[kDpcParts];
  const size_t part = Processor()->id % kDpcParts;
  size_t& used = TheState().dpc_records[part];
  if (used == records[part].size()) records[part].push_back({});
  return &records[part][used++];
}

// Marks it as queued.
QueuedDpc* Enqueue(PKDPC dpc) {
  QueuedDpc* const queued = NewRecord();
  *queued = {dpc, true};
  dpc->DpcData = dpc;
  TheState().queued_dpcs.push_back(queued);
  return queued;
}

void InitializeDpc(PKDPC dpc, PVOID routine, PVOID context) {
  TellMemory(dpc, sizeof *dpc, true);
  Withdraw(dpc);
  *dpc = {};
  dpc->Type = 19;
  dpc->Importance = 1;
  dpc->DeferredRoutine = routine;
  dpc->DeferredContext = context;
}

void CallDpc(PKDPC dpc) {
  if (!CheckObject(dpc, "a DPC")) return;
  // As the kernel does: from here on it can be queued again, and its memory reused.
  const auto routine = reinterpret_cast<DpcRoutine>(dpc->DeferredRoutine);
  const PVOID context = dpc->DeferredContext;
  const PVOID first = dpc->SystemArgument1;
  const PVOID second = dpc->SystemArgument2;
  dpc->DpcData = nullptr;
  Observe(dpc);
  SystemCall call("a DPC", DISPATCH_LEVEL);
  ki_platform->point(kPointCallbackEnter, dpc);
  routine(dpc, context, first, second);
  ki_platform->point(kPointCallbackExit, nullptr);
}

// The memory of one that was removed meanwhile may be gone.
void RunDpc(void* context) {
  TellSystem();
  auto* queued = static_cast<QueuedDpc*>(context);
  if (!queued->live) return;
  Withdraw(queued);
  PKDPC dpc = queued->dpc;
  if (!CheckObject(dpc, "a DPC that is queued")) return;
  if (dpc->DpcData != nullptr) CallDpc(dpc);
}

BOOLEAN QueueDpc(PKDPC dpc, PVOID first, PVOID second, const char* routine) {
  if (!CheckObject(dpc, routine)) return FALSE;
  if (dpc->DeferredRoutine == nullptr) {
    Report("misuse", routine, "the DPC was not initialised");
    return FALSE;
  }
  PointAt(dpc);
  if (dpc->DpcData != nullptr) return FALSE;
  dpc->SystemArgument1 = first;
  dpc->SystemArgument2 = second;
  QueuedDpc* const queued = Enqueue(dpc);
  Publish(dpc);
  Scheduler().start(DriveActivity::kDpc, &RunDpc, queued);
  return TRUE;
}
BOOLEAN KeInsertQueueDpc(PKDPC dpc, PVOID first, PVOID second) {
  return QueueDpc(dpc, first, second, "KeInsertQueueDpc");
}
BOOLEAN KeRemoveQueueDpc(PKDPC dpc) {
  if (!CheckObject(dpc, "KeRemoveQueueDpc")) return FALSE;
  PointAt(dpc);
  const bool queued = dpc->DpcData != nullptr;
  dpc->DpcData = nullptr;
  Withdraw(dpc);
  return queued;
}
void KeSetImportanceDpc(PKDPC dpc, ULONG importance) {
  dpc->Importance = static_cast<UCHAR>(importance);
}
// Waits, as for an event, for a step that comes after all DPCs that are queued or run now.
void KeFlushQueuedDpcs() {
  KEVENT flushed;
  InitializeHeader(&flushed.Header, kEventNotification, sizeof(KEVENT), 0);
  Scheduler().start(
      DriveActivity::kAfterDpcs,
      [](void* event) { Signal(&static_cast<PKEVENT>(event)->Header, 1); }, &flushed);
  WaitFor(&flushed.Header, "KeFlushQueuedDpcs");
}

// ---- timers ----

void KeInitializeTimerEx(KernelTimer* timer, ULONG type) {
  TellMemory(timer, sizeof *timer, true);
  *timer = {};
  InitializeHeader(&timer->header, static_cast<UCHAR>(kTimerNotification + type),
                   sizeof(KernelTimer), 0);
}
void KeInitializeTimer(KernelTimer* timer) { KeInitializeTimerEx(timer, 0); }

void TimerExpired(void* context);

void Arm(KernelTimer* timer) {
  State& state = TheState();
  state.timers.push_back({timer, false, false, nullptr});
  ArmedTimer* armed = &state.timers.back();
  state.armed.push_back(armed);
  Scheduler().at(timer->due, &TimerExpired, armed, armed);
}

// What the kernel does at once when a timer is due: from here on nothing but its DPC is left of it.
void Expire(ArmedTimer* armed) {
  State& state = TheState();
  KernelTimer* timer = armed->timer;
  armed->expired = true;
  state.armed.erase(std::remove(state.armed.begin(), state.armed.end(), armed), state.armed.end());
  Observe(timer);
  Signal(&timer->header, 1);
  if (timer->period_ms != 0 && !armed->stopped) {
    timer->due += timer->period_ms * kTicksPerMs;
    Arm(timer);
  }
  PKDPC dpc = timer->dpc;
  if (dpc == nullptr || !CheckObject(dpc, "the DPC of a timer") || dpc->DpcData != nullptr) return;
  armed->queued = Enqueue(dpc);
}

// Some time after it was due: the driver may have cancelled it meanwhile, and freed it.
void TimerExpired(void* context) {
  TellSystem();
  auto* armed = static_cast<ArmedTimer*>(context);
  if (!armed->expired) {
    if (!CheckObject(armed->timer, "a timer that is armed")) return;
    Expire(armed);
  }
  if (armed->queued != nullptr) RunDpc(armed->queued);
}

// True if the timer was armed. One that is due already expires now at the latest.
bool Disarm(KernelTimer* timer) {
  State& state = TheState();
  bool disarmed = false;
  for (size_t i = state.armed.size(); i-- > 0;) {
    ArmedTimer* armed = state.armed[i];
    if (armed->timer != timer) continue;
    armed->stopped = true;
    if (Scheduler().disarm(armed)) {
      state.armed.erase(state.armed.begin() + static_cast<std::ptrdiff_t>(i));
      disarmed = true;
    } else {
      disarmed |= timer->period_ms != 0;
      Expire(armed);
    }
  }
  return disarmed;
}

BOOLEAN KeSetTimerEx(KernelTimer* timer, LARGE_INTEGER due, LONG period, PKDPC dpc) {
  constexpr char kRoutine[] = "KeSetTimer";
  if (!CheckObject(timer, kRoutine)) return FALSE;
  const int type = timer->header.Type & 0x7f;
  if (type != kTimerNotification && type != kTimerSynchronization) {
    Report("misuse", kRoutine, "the timer was not initialised");
    return FALSE;
  }
  PointAt(timer);
  const bool armed = Disarm(timer);
  timer->header.SignalState = 0;
  timer->dpc = dpc;
  timer->period_ms = static_cast<ULONG>(period);
  timer->due = due.QuadPart < 0 ? Scheduler().now() + static_cast<uint64_t>(-due.QuadPart)
                                : static_cast<uint64_t>(due.QuadPart);
  Publish(timer);
  if (dpc != nullptr) Publish(dpc);
  Arm(timer);
  return armed;
}
BOOLEAN KeSetTimer(KernelTimer* timer, LARGE_INTEGER due, PKDPC dpc) {
  return KeSetTimerEx(timer, due, 0, dpc);
}
BOOLEAN KeCancelTimer(KernelTimer* timer) {
  if (!CheckObject(timer, "KeCancelTimer")) return FALSE;
  PointAt(timer);
  return Disarm(timer);
}
BOOLEAN KeReadStateTimer(KernelTimer* timer) { return timer->header.SignalState != 0; }

// ---- time ----

void KeQuerySystemTime(LARGE_INTEGER* time) {
  time->QuadPart = static_cast<LONGLONG>(Scheduler().now());
}
ULONG64 KeQueryInterruptTime() { return Scheduler().now(); }
LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER* frequency) {
  if (frequency != nullptr) frequency->QuadPart = 10000000;
  LARGE_INTEGER now;
  now.QuadPart = static_cast<LONGLONG>(Scheduler().now());
  return now;
}
ULONG KeQueryTimeIncrement() { return 156250; }
void KeQueryTickCount(LARGE_INTEGER* count) {
  count->QuadPart = static_cast<LONGLONG>(Scheduler().now() / 156250);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE_AS(KeInitializeDpc, InitializeDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeInitializeThreadedDpc, InitializeDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeInsertQueueDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveQueueDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeSetImportanceDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeFlushQueuedDpcs, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeTimerEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeSetTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeSetTimerEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeCancelTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReadStateTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeQuerySystemTimePrecise, KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQuerySystemTime, KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQueryTickCount, KeQueryTickCount, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQueryInterruptTime, KeQueryInterruptTime, PASSIVE_LEVEL,
                          HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryInterruptTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryPerformanceCounter, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryTimeIncrement, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryTickCount, PASSIVE_LEVEL, HIGH_LEVEL),
};

}  // namespace

bool IsWithdrawn(void (*run)(void* context), const void* context) {
  TellSystem();
  if (run == &RunDpc) return !static_cast<const QueuedDpc*>(context)->live;
  if (run != &TimerExpired) return false;
  const auto* armed = static_cast<const ArmedTimer*>(context);
  return armed->expired && (armed->queued == nullptr || !armed->queued->live);
}

ServiceList TimerServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
