// The kernel around one driver, as its runner sees it: start and unload, its devices, files
// and requests, what it has not given back. One driver at a time in a process. The services
// themselves are in services.h, who runs when is behind scheduler.h.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_WORLD_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/drivers/image/driver_image.h"
#include "fuzzers/drivers/world/kernel_objects.h"
#include "fuzzers/drivers/world/scheduler.h"
#include "impl/implementation.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::drivers {

struct WorldOptions {
  // The k-th allocation of the run that may fail does (1, 2, ...). 0: none fails.
  int fail_allocation = 0;
  // The queue routines that the driver gets; null for the built-in ones.
  const Implementation* implementation = nullptr;
};

// Loads a driver against the table of services.
std::unique_ptr<DriverImage> LoadDriver(const std::string& path, std::string* error);

// ---- a run ----

// Forgets the last run; the image's writable sections, the pool and all objects are as new.
// O(bytes used by the last run and of writable sections). On the main context.
void BeginRun(DriverImage* image, const WorldOptions& options);
// Calls the entry point, at PASSIVE_LEVEL, on the calling fiber.
NTSTATUS StartDriver();
// Calls DriverUnload, and before it a minifilter's unload callback. False if the driver has none,
// or if the callback refuses, which it may unless it is `mandatory`.
bool UnloadDriver(bool mandatory = true);

PDRIVER_OBJECT DriverObject();
// Where requests are sent: the volume, if the driver has registered a minifilter, then the
// driver's devices in the order of their creation. Valid until the next service.
std::vector<PDEVICE_OBJECT> Devices();
// Whether the driver has set DriverExtension->AddDevice, which plug and play would call.
bool HasAddDevice();
// Whether the driver has registered a minifilter in this run; and whether one that is registered
// has callbacks for these requests.
bool IsFilter();
bool FiltersMajor(UCHAR major);

// What the driver has not given back.
struct Leak {
  enum class Kind : uint8_t {
    kPool,
    kDevice,
    kLink,
    kTimer,
    kWorkItem,
    kThread,
    kHandle,
    kReference,
    kMdl,
    kIrp,
    kLookaside,
    kResource,
    kRemoveLock,
    kFilter,
    kContext
  };
  Kind kind;
  uint32_t tag = 0;  // of pool
  size_t bytes = 0;
  const void* caller = nullptr;  // code of the driver that obtained it
  std::string text;              // "48 bytes of pool, tag 'Test'"
};
std::vector<Leak> Leaks();
// What was written where nothing may be written: freed or next to allocations. "" if nothing.
std::string DamagedMemory();
// Allocations of this run so far that could have been made to fail.
int AllocationCount();
// The object of the pool at `address` in words, for reports: "freed pool, tag 'Test', 8 bytes
// behind its beginning", "" if there is none.
std::string DescribeAddress(const volatile void* address);

// For a handler of SIGSEGV: does what the faulting instruction would in a kernel, if it is a
// move of CR8 or a read of the current thread or processor behind gs in the driver's code, and
// moves on to the next one. `context` is the handler's ucontext_t.
bool EmulateInstruction(void* context);

// ---- files and requests ----

// A file object on the top device of `device`'s stack. Lives until the next run.
PFILE_OBJECT MakeFile(PDEVICE_OBJECT device);

struct RequestSpec {
  UCHAR major = IRP_MJ_READ;
  UCHAR minor = 0;
  PFILE_OBJECT file = nullptr;
  PDEVICE_OBJECT device = nullptr;  // to which it is sent; null: the file's
  uint16_t tag = 0;                 // KiIrpHeader::tag
  // Reads and device control: bytes of room. Writes: `input` holds the data.
  uint32_t output_length = 0;
  std::vector<uint8_t> input;
  uint32_t control_code = 0;  // its two low bits say how buffers are passed
  uint64_t offset = 0;
  // The caller's buffers are not there. Where the driver gets their addresses alone.
  bool unreadable = false;
};

// An IRP as the I/O manager would send it, with buffers by the device's flags or by the
// control code, in memory that lives until the next run. The caller may set on_complete and
// context in KiIrpHeaderOf. O(lengths).
PIRP MakeRequest(const RequestSpec& spec);
// Where the request's output is, and how large; null without one.
struct Buffer {
  uint8_t* data = nullptr;
  uint32_t bytes = 0;
};
Buffer OutputOf(PIRP irp);
// Calls the driver's dispatch routine on the calling fiber. What it returned. The IRP may be
// gone afterwards.
NTSTATUS Dispatch(PIRP irp);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_WORLD_H_
