// Inside the world room only: what its services share. One run, one driver.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_STATE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_STATE_H_

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "fuzzers/drivers/world/pool.h"
#include "fuzzers/drivers/world/resources.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/drivers/world/world.h"

namespace cancelsafe::drivers {

struct WaitBlock;

// A DPC in the queue, apart from its memory: one that was removed may be freed, or queued again.
struct QueuedDpc {
  PKDPC dpc;
  bool live;  // neither run nor removed
};
inline constexpr size_t kDpcParts = 8;

// A timer that was set, until it goes off.
struct ArmedTimer {
  KernelTimer* timer;
  bool expired;
  bool stopped;       // cancelled or set again: a periodic one is not set for its next time
  QueuedDpc* queued;  // once it has expired: the DPC that it has queued, or null
};

struct SystemThread {
  DISPATCHER_HEADER header;  // first: drivers wait for it
  int references;
  bool ended;
  bool is_driver_code;  // made by PsCreateSystemThread
  void(CANCELSAFE_MS_ABI* routine)(PVOID context);
  PVOID context;
  NTSTATUS exit_status;
  LONG priority;
  int critical_regions;
  int guarded_regions;
  const void* caller;
};

struct State {
  DriverImage* image = nullptr;
  const Implementation* queues = nullptr;
  int fail_allocation = 0;
  int allocations = 0;

  PDRIVER_OBJECT driver = nullptr;
  KernelDriverExtension* driver_extension = nullptr;
  // What the driver stored as DriverStartIo: the queues call a thunk in its place.
  PDRIVER_STARTIO start_io = nullptr;
  std::vector<PDEVICE_OBJECT> devices;             // in the order of creation
  std::map<PDEVICE_OBJECT, std::u16string> names;  // of named devices
  std::map<PDEVICE_OBJECT, const void*> device_callers;
  std::map<std::u16string, const void*> links;  // with the code that made them
  size_t dpc_records[kDpcParts] = {};           // how many each fiber has made in this run
  std::vector<QueuedDpc*> queued_dpcs;          // those that are live
  std::deque<ArmedTimer> timers;                // every one of the run, where it stays
  std::vector<ArmedTimer*> armed;               // those that have not gone off
  std::vector<SystemThread*> threads;
  std::vector<SystemThread*> handles;  // index (handle / 4) - 1; null: closed
  std::vector<const void*> handle_callers;
  std::vector<KernelLookaside*> lookasides;
  std::vector<Resource> resources;
  WaitBlock* waiters = nullptr;
  PDEVICE_OBJECT lower = nullptr;  // of IoCallDriver
};
State& TheState();

// ---- reports ----

// A report ends the run on this fiber, whose frames are not destroyed: what is said is moved out
// of them, and what callers keep to say it is static.
void Report(const char* rule, const char* routine, std::string text);
// The object of `bytes` at `address` may be used: not freed. Reports otherwise.
bool CheckObject(const volatile void* address, const char* routine);

// ---- processors ----

inline KiProcessor* Processor() { return ki_platform->processor(); }
// A place where another fiber may run, before the service does something to `object`.
inline void PointAt(const volatile void* object) { ki_platform->point(kPointCall, object); }
// What was done before Publish(object) happens before what follows Observe(object).
void Publish(const volatile void* object);
void Observe(const volatile void* object);
SystemThread* CurrentThread();
void SetCurrentThread(SystemThread* thread);
void ResetThreads();

// ---- memory ----

// An allocation that may fail: false if this one shall.
bool MayAllocate();
template <typename T>
T* NewObject(uint32_t tag, PoolUse use) {
  return static_cast<T*>(Pool::Get().Allocate(sizeof(T), tag, use, true, door_caller));
}

// ---- waiting (dispatcher.cc) ----

void InitializeHeader(DISPATCHER_HEADER* header, UCHAR type, size_t bytes, LONG state);
// Makes the object signalled and wakes its waiters.
void Signal(DISPATCHER_HEADER* header, LONG state);
// Like KeWaitForSingleObject without a time-out.
void WaitFor(DISPATCHER_HEADER* header, const char* routine);

// ---- driver code ----

// Calls a routine of the driver's with a check of what it leaves: locks and IRQL.
template <typename Result, typename... Parameters, typename... Arguments>
Result CallDriver(Result (*routine)(Parameters...), Arguments... arguments) {
  return KiCall(routine, arguments...);
}
// Around a routine that the system calls at `irql`: reports what it leaves different:
// locks, IRQL, critical and guarded regions.
class SystemCall {
 public:
  SystemCall(const char* what, KIRQL irql);
  ~SystemCall();
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;

 private:
  const char* const what_;
  const KIRQL irql_;
  const KIRQL before_;
  const UCHAR held_;
  const int regions_;
};

// The dispatch routine for the request of the current stack location.
NTSTATUS CallMajorFunction(PDEVICE_OBJECT device, PIRP irp);
// What MajorFunction holds where the driver has set none.
PDRIVER_DISPATCH DefaultMajorFunction();

// A device of the host's whose requests all go to `dispatch`.
PDEVICE_OBJECT NewHostDevice(PDRIVER_DISPATCH dispatch);

// DriverStartIo, if the driver has set one meanwhile, becomes the thunk that the queues call.
void AdoptStartIo();
void ResetQueueDoors();
void ResetDispatcher();

// The tables of the themes.
ServiceList LockServices();
ServiceList QueueServices();
ServiceList IrpServices();
ServiceList DeviceServices();
ServiceList DispatcherServices();
ServiceList TimerServices();
ServiceList WorkItemServices();
ServiceList ThreadServices();
ServiceList MemoryServices();
ServiceList RuntimeServices();
ServiceList AccessServices();
ServiceList ExceptionServices();
ServiceList ResourceServices();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_STATE_H_
