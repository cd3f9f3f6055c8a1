// Structured exceptions of a driver: the search for a handler and the unwinding to it, through
// frames of the driver alone. What begins one: the services that raise, and faults (faults.cc).
// Where a frame is the system's, an exception is not handled; if it is one of a service that the
// driver has called, it is not provided. How one frame is left by its tables is in unwind.h, what
// __try and __except mean in them in language_handler.cc.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_EXCEPTIONS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_EXCEPTIONS_H_

#include <string>

#include "fuzzers/drivers/world/machine_context.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/drivers/world/unwind.h"

namespace cancelsafe::drivers {

inline constexpr NTSTATUS kAccessViolation = static_cast<NTSTATUS>(0xC0000005);
inline constexpr NTSTATUS kDatatypeMisalignment = static_cast<NTSTATUS>(0x80000002);

// EXCEPTION_RECORD.
struct ExceptionRecord {
  uint32_t code;
  uint32_t flags;
  ExceptionRecord* inner;
  const void* address;
  uint32_t parameters;
  uint64_t information[15];
};
static_assert(sizeof(ExceptionRecord) == 152, "EXCEPTION_RECORD");
enum ExceptionFlags : uint32_t {
  kNoncontinuable = 0x1,
  kUnwinding = 0x2,
  kExitUnwind = 0x4,
  kTargetUnwind = 0x20,
};

struct ExceptionPointers {
  ExceptionRecord* record;
  KernelContext* context;
};

// EXCEPTION_DISPOSITION.
enum Disposition : int { kContinueExecution = 0, kContinueSearch = 1 };

// DISPATCHER_CONTEXT: what a language handler is told of the frame.
struct DispatcherContext {
  uint64_t control_pc;
  uint64_t image_base;
  const RuntimeFunction* function;
  uint64_t establisher;
  uint64_t target_ip;
  KernelContext* context;
  const void* handler;
  const void* handler_data;
  void* history;
  uint32_t scope_index;
  uint32_t unused;
};
static_assert(sizeof(DispatcherContext) == 80, "DISPATCHER_CONTEXT");

// ---- of services ----

// First in a service through whose call an exception may pass: while it lives, the exception
// begins where the driver called the service. The service is entered by KeepingEntry, owns nothing
// that a destructor gives back, and calls no routine of the driver's.
class PassesExceptions {
 public:
  __attribute__((always_inline)) PassesExceptions() : entry_(cancelsafe_entry_registers) {
    Begin();
  }
  ~PassesExceptions();
  PassesExceptions(const PassesExceptions&) = delete;
  PassesExceptions& operator=(const PassesExceptions&) = delete;

 private:
  void Begin();
  const EntryRegisters entry_;
  const EntryRegisters* outer_ = nullptr;
};

// In a service that passes exceptions: raises one that cannot be continued. If no handler of the
// driver takes it, the run ends with a report that `routine` raised it, and why. `why` is
// a constant, or lives on.
[[noreturn]] void RaiseStatus(NTSTATUS status, const char* routine, const char* why);

// The same as Door, for a service that passes exceptions.
template <auto kFunction, KIRQL kMin, KIRQL kMax>
struct PassingDoor;
template <typename Result, typename... Parameters, Result (*kFunction)(Parameters...), KIRQL kMin,
          KIRQL kMax>
struct PassingDoor<kFunction, kMin, kMax> {
  CANCELSAFE_MS_ABI __attribute__((no_sanitize("thread"))) static Result Call(
      Parameters... parameters) {
    const PassesExceptions passes;
    const KIRQL irql = ki_platform->processor()->irql;
    if (__builtin_expect(irql < kMin || irql > kMax, 0)) {
      ReportIrql(reinterpret_cast<const void*>(&KeepingEntry<&Call>::Enter), irql);
    }
    door_caller = __builtin_return_address(0);
    if (__builtin_expect(telling, 0)) {
      static const ToldKind kind =
          ToldKindOfDoor(reinterpret_cast<const void*>(&KeepingEntry<&Call>::Enter));
      TellService(kind);
    }
    return kFunction(parameters...);
  }
};
#define CANCELSAFE_SERVICE_PASSING_AS(name, function, min, max)                     \
  {#name,                                                                           \
   reinterpret_cast<const void*>(                                                   \
       &::cancelsafe::drivers::KeepingEntry<                                        \
           &::cancelsafe::drivers::PassingDoor<&function, min, max>::Call>::Enter), \
   min, max, false}
#define CANCELSAFE_SERVICE_PASSING(name, min, max) \
  CANCELSAFE_SERVICE_PASSING_AS(name, name, min, max)

// ---- of faults ----

// Where an exception could begin that a fault at `code` is: the driver's code itself, or the
// service that it called. False if in neither: then it cannot be handled.
bool CanBegin(const void* code);
// Begins it. `context` and `record` are the fault's, and live below it on the fiber's stack.
// Returns if no handler takes it; `*why` then says what was in the way, "" if nothing.
void DispatchFault(ExceptionRecord* record, KernelContext* context, std::string* why);

// ---- of language handlers ----

// Unwinds from the exception that is being handled on this fiber to the frame and goes on at
// `target` with `result` in rax.
[[noreturn]] void UnwindTo(uint64_t frame, uint64_t target, ExceptionRecord* record,
                           uint64_t result);
// __C_specific_handler.
CANCELSAFE_MS_ABI int HandleForC(ExceptionRecord* record, uint64_t frame, KernelContext* context,
                                 DispatcherContext* told);
// The image's code at an offset that its tables name; reports and does not return if there is none.
const void* CodeAt(uint64_t image_base, uint32_t rva);

// ---- of runs and threads ----

// What is under way on the calling fiber, or on all, will not go on; nor do the services that it
// is in.
void ForgetExceptions();
void ForgetAllExceptions();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_EXCEPTIONS_H_
