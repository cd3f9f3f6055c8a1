// See exceptions.h. Every routine here may be left for good from within a routine of the driver's
// that it calls, so frames own nothing. What is under way on a fiber is a chain from the newest
// to the oldest: a handler of the driver's may raise, or fault, itself, and the new exception
// then passes through the frames that the older one was about.
#include "fuzzers/drivers/world/exceptions.h"

#include <cstdlib>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/schedule/fiber.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kProcessors = 256;
constexpr uint64_t kRoomBytes = 96 * 1024;  // for a dispatch, and a report of it
constexpr int kMaxExceptions = 4000;        // in a run
constexpr uint32_t kNoncontinuableException = 0xC0000025;
constexpr uint32_t kUnwindStatus = 0xC0000027;

struct Handling {
  Handling* outer;
  // Where frames go on behind the handler that is called for it: those of the exception, or the
  // one that is being unwound.
  const KernelContext* context;
  const DispatcherContext* told;  // while it unwinds: its scope_index is behind what has run
  bool unwinds;
};

Handling* under_way[kProcessors];
const EntryRegisters* entries[kProcessors];
int exceptions = 0;  // of this run

Handling*& UnderWay() { return under_way[Processor()->id]; }
const EntryRegisters*& Entry() { return entries[Processor()->id]; }

StackRange StackFrom(const void* frame) {
  const auto low = reinterpret_cast<uint64_t>(frame);
  return {low & ~uint64_t{7}, (low | (schedule::kStackSize - 1)) + 1};
}

// The frames of the driver, from a context on, through handlers that are under way.
class Frames {
 public:
  Frames(const StackRange& stack, const KernelContext& from, Handling* outer)
      : stack_(stack), caller_(from), outer_(outer) {}

  // False at the end: a frame that is not the driver's, or that cannot be left (damaged()).
  bool Next();

  const UnwoundFrame& frame() const { return frame_; }
  KernelContext* context() { return &context_; }
  Handling* outer() const { return outer_; }
  uint32_t scope_index() const { return scope_index_; }
  bool damaged() const { return damaged_; }

 private:
  const StackRange stack_;
  KernelContext context_;  // the frame's registers
  KernelContext caller_;
  UnwoundFrame frame_;
  Handling* outer_;
  uint32_t scope_index_ = 0;
  bool damaged_ = false;
};

bool Frames::Next() {
  const DriverImage& image = *TheState().image;
  context_ = caller_;
  scope_index_ = 0;
  while (!image.IsExecutable(reinterpret_cast<const void*>(context_.rip))) {
    if (context_.rip != reinterpret_cast<uint64_t>(cancelsafe_return_from_handler) ||
        outer_ == nullptr) {
      return false;
    }
    scope_index_ = outer_->unwinds ? outer_->told->scope_index : 0;
    context_ = *outer_->context;
    outer_ = outer_->outer;
  }
  caller_ = context_;
  damaged_ = !VirtualUnwind(image, stack_, &caller_, &frame_);
  return !damaged_;
}

void Tell(Frames* frames, uint64_t target, DispatcherContext* told) {
  const DriverImage& image = *TheState().image;
  const UnwoundFrame& frame = frames->frame();
  *told = {};
  told->control_pc = frames->context()->rip;
  told->image_base = reinterpret_cast<uint64_t>(image.base());
  told->function = &frame.function;
  told->establisher = frame.establisher;
  told->target_ip = target;
  told->context = frames->context();
  told->handler = CodeAt(told->image_base, frame.handler);
  told->handler_data = image.base() + frame.handler_data;
  told->scope_index = frames->scope_index();
}

int CallLanguageHandler(ExceptionRecord* record, KernelContext* context, DispatcherContext* told) {
  return static_cast<int>(CancelsafeCallHandler(
      told->handler, record, reinterpret_cast<const void*>(told->establisher), context, told));
}

void GoOn(const StackRange& stack, KernelContext* context, Handling* outer) {
  if (!TheState().image->IsExecutable(reinterpret_cast<const void*>(context->rip)) ||
      context->rsp() < stack.low + 64 || context->rsp() > stack.high - 64) {
    Report("crash", "",
           absl::StrCat("an exception's handler goes on at ", absl::Hex(context->rip),
                        ", which is not code of the driver's, or on another stack"));
    abort();
  }
  UnderWay() = outer;
  Entry() = nullptr;
  if (memory::kHooked) memory::DrainStores();
  GoOnWith(context);
}

[[noreturn]] void BadDisposition(int disposition) {
  Report("crash", "",
         absl::StrCat("a language handler of the driver returned ", disposition,
                      ", which is not a disposition that may be returned there"));
  abort();
}

std::string Damaged(const KernelContext& context) {
  return absl::StrCat(
      "; the unwind data of its code at ",
      absl::Hex(TheState().image->LinkedAddress(reinterpret_cast<const void*>(context.rip))),
      " cannot be followed");
}

// One whose filter lets it happen again ends as code without an end does; it needs little time
// of the processor for that, so it is counted.
void CountExceptions() {
  if (++exceptions <= kMaxExceptions) return;
  Report("livelock", "", absl::StrCat("one run raises more than ", kMaxExceptions, " exceptions"));
}

// Where the frames of the driver's that can be followed have ended. Those behind a service may hold
// the handler: what would become of the exception is not known.
void StopAtService(const Frames& frames) {
  if (frames.damaged() || services_entered[Processor()->id] == 0) return;
  if (!HasExceptionHandlers(*TheState().image)) return;
  Scheduler().not_provided("an exception through a service that has called the driver");
}

// Returns if no handler takes it.
void Search(ExceptionRecord* record, KernelContext* context, bool can_continue, std::string* why) {
  const StackRange stack = StackFrom(__builtin_frame_address(0));
  if ((stack.low & (schedule::kStackSize - 1)) < kRoomBytes) {
    *why =
        "; the stack has no room to look for a handler: the exceptions of its handlers have "
        "exhausted it";
    return;
  }
  CountExceptions();
  Entry() = nullptr;
  Handling self = {UnderWay(), context, nullptr, false};
  Frames frames(stack, *context, self.outer);
  UnderWay() = &self;
  while (frames.Next()) {
    if ((frames.frame().handles & kHandlesExceptions) == 0) continue;
    DispatcherContext told;
    Tell(&frames, 0, &told);
    const int disposition = CallLanguageHandler(record, context, &told);
    if (disposition == kContinueSearch) continue;
    if (disposition != kContinueExecution) BadDisposition(disposition);
    if ((record->flags & kNoncontinuable) == 0) {
      if (can_continue) GoOn(stack, context, self.outer);
      Scheduler().not_provided("continuing behind a fault in a service");
    }
    ExceptionRecord next = {};
    next.code = kNoncontinuableException;
    next.flags = kNoncontinuable;
    next.inner = record;
    next.address = record->address;
    UnderWay() = self.outer;
    return Search(&next, context, false, why);
  }
  UnderWay() = self.outer;
  StopAtService(frames);
  if (frames.damaged()) *why = Damaged(*frames.context());
}

[[noreturn]] void Unwind(const KernelContext& from, Handling* outer, uint64_t target_frame,
                         uint64_t target, ExceptionRecord* record, uint64_t result) {
  const StackRange stack = StackFrom(__builtin_frame_address(0));
  record->flags |= target_frame == 0 ? kUnwinding | kExitUnwind : kUnwinding;
  Frames frames(stack, from, outer);
  DispatcherContext told = {};
  Handling self = {outer, frames.context(), &told, true};
  Entry() = nullptr;
  while (frames.Next()) {
    self.outer = frames.outer();
    UnderWay() = &self;
    const UnwoundFrame& frame = frames.frame();
    const bool is_target = frame.has_function && frame.establisher == target_frame;
    if (is_target) record->flags |= kTargetUnwind;
    if ((frame.handles & kHandlesUnwinds) != 0) {
      Tell(&frames, target, &told);
      const int disposition = CallLanguageHandler(record, frames.context(), &told);
      if (disposition != kContinueSearch) BadDisposition(disposition);
    }
    if (!is_target) continue;
    frames.context()->rip = target;
    frames.context()->registers[kRax] = result;
    GoOn(stack, frames.context(), frames.outer());
  }
  StopAtService(frames);
  Report("crash", "",
         absl::StrCat("frames are unwound to one that is not among them",
                      frames.damaged() ? Damaged(*frames.context()) : ""));
  abort();
}

// The text of a report, in a function of its own: its pieces are gone when the fiber is left.
std::string DescribeRaised(uint32_t code, const char* reason, const std::string& why) {
  return absl::StrCat("raises exception 0x", absl::Hex(code, absl::kZeroPad8),
                      *reason == '\0' ? "" : " (", reason, *reason == '\0' ? "" : ")",
                      ", which no handler of the driver takes", why);
}

// Raises the record, whose address becomes the caller's.
void Raise(ExceptionRecord* record, const char* routine, const char* reason) {
  std::string why;
  const EntryRegisters* const entry = Entry();
  if (entry != nullptr && TheState().image != nullptr && Scheduler().running()) {
    KernelContext context = ContextBehindCall(*entry);
    record->address = reinterpret_cast<const void*>(context.rip);
    Search(record, &context, true, &why);
    door_caller = record->address;
  }
  std::string text = DescribeRaised(record->code, reason, why);
  std::string().swap(why);
  Report("bugcheck", routine, std::move(text));
}

// ---- services ----

void ExRaiseStatus(NTSTATUS status) { RaiseStatus(status, "ExRaiseStatus", ""); }
void RtlRaiseStatus(NTSTATUS status) { RaiseStatus(status, "RtlRaiseStatus", ""); }
void ExRaiseAccessViolation() { RaiseStatus(kAccessViolation, "ExRaiseAccessViolation", ""); }
void ExRaiseDatatypeMisalignment() {
  RaiseStatus(kDatatypeMisalignment, "ExRaiseDatatypeMisalignment", "");
}
void RtlRaiseException(ExceptionRecord* record) { Raise(record, "RtlRaiseException", ""); }

void UnwindFromCall(uint64_t frame, uint64_t target, ExceptionRecord* record, uint64_t result) {
  ExceptionRecord own = {};
  if (record == nullptr) {
    own.code = kUnwindStatus;
    own.address = door_caller;
    record = &own;
  }
  const KernelContext context = ContextBehindCall(*Entry());
  Unwind(context, UnderWay(), frame, target, record, result);
}
void RtlUnwind(PVOID frame, PVOID target, ExceptionRecord* record, PVOID result) {
  UnwindFromCall(reinterpret_cast<uint64_t>(frame), reinterpret_cast<uint64_t>(target), record,
                 reinterpret_cast<uint64_t>(result));
}
void RtlUnwindEx(PVOID frame, PVOID target, ExceptionRecord* record, PVOID result, KernelContext*,
                 PVOID) {
  RtlUnwind(frame, target, record, result);
}
void LocalUnwind(PVOID frame, PVOID target) { RtlUnwind(frame, target, nullptr, nullptr); }

const Service kServices[] = {
    CANCELSAFE_SERVICE_PASSING(ExRaiseStatus, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlRaiseStatus, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlRaiseException, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExRaiseAccessViolation, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(ExRaiseDatatypeMisalignment, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlUnwind, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(RtlUnwindEx, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING_AS(_local_unwind, LocalUnwind, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_RAW(__C_specific_handler, HandleForC, PASSIVE_LEVEL, HIGH_LEVEL),
};

}  // namespace

void PassesExceptions::Begin() {
  outer_ = Entry();
  Entry() = &entry_;
}
PassesExceptions::~PassesExceptions() { Entry() = outer_; }

void RaiseStatus(NTSTATUS status, const char* routine, const char* why) {
  ExceptionRecord record = {};
  record.code = static_cast<uint32_t>(status);
  record.flags = kNoncontinuable;
  Raise(&record, routine, why);
  abort();
}

bool CanBegin(const void* code) {
  const DriverImage* image = TheState().image;
  return image != nullptr && (image->IsExecutable(code) || Entry() != nullptr);
}

void DispatchFault(ExceptionRecord* record, KernelContext* context, std::string* why) {
  if (TheState().image->IsExecutable(reinterpret_cast<const void*>(context->rip))) {
    return Search(record, context, true, why);
  }
  KernelContext behind = ContextBehindCall(*Entry());
  Search(record, &behind, false, why);
}

void UnwindTo(uint64_t frame, uint64_t target, ExceptionRecord* record, uint64_t result) {
  Handling* const handled = UnderWay();
  if (handled == nullptr) {
    Report("crash", "__C_specific_handler", "was called though there is no exception");
    abort();
  }
  const KernelContext from = *handled->context;
  Unwind(from, handled->outer, frame, target, record, result);
}

const void* CodeAt(uint64_t image_base, uint32_t rva) {
  const auto* const code = reinterpret_cast<const void*>(image_base + rva);
  if (TheState().image->IsExecutable(code)) return code;
  Report("crash", "",
         absl::StrCat("its exception tables name a handler at ", absl::Hex(rva),
                      " behind its base, where no code is"));
  abort();
}

void ForgetExceptions() {
  UnderWay() = nullptr;
  Entry() = nullptr;
  services_entered[Processor()->id] = 0;
}
void ForgetAllExceptions() {
  exceptions = 0;
  for (int i = 0; i < kProcessors; ++i) {
    under_way[i] = nullptr;
    entries[i] = nullptr;
    services_entered[i] = 0;
  }
}

ServiceList ExceptionServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
