// The language handler of C: what __try, __except and __finally mean in the scope table that
// stands behind the unwind information of a function. Scopes of a function come innermost first.
#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr uint32_t kAlwaysTaken = 1;  // in the place of a filter: EXCEPTION_EXECUTE_HANDLER

// Offsets from the image's base.
struct Scope {
  uint32_t begin;
  uint32_t end;
  uint32_t handler;  // filter, or termination handler
  uint32_t target;   // of __except; 0: __finally

  bool Holds(uint32_t rva) const { return rva >= begin && rva < end; }
};

// The scope table of a frame, as the image holds it.
class Scopes {
 public:
  explicit Scopes(const DispatcherContext& told)
      : table_(static_cast<uint32_t>(reinterpret_cast<uint64_t>(told.handler_data) -
                                     told.image_base)) {
    if (!TheState().image->ReadAt(table_, &count_)) Damaged();
  }
  uint32_t count() const { return count_; }
  Scope At(uint32_t index) const {
    Scope scope;
    if (!TheState().image->ReadAt(table_ + 4 + index * static_cast<uint32_t>(sizeof(scope)),
                                  &scope)) {
      Damaged();
    }
    return scope;
  }

 private:
  [[noreturn]] void Damaged() const {
    Report("crash", "__C_specific_handler",
           absl::StrCat("the scope table at ", absl::Hex(table_),
                        " behind its base leaves the image"));
    abort();
  }
  const uint32_t table_;
  uint32_t count_ = 0;
};

int Handle(ExceptionRecord* record, uint64_t frame, KernelContext* context,
           DispatcherContext* told) {
  const Scopes scopes(*told);
  const auto pc = static_cast<uint32_t>(told->control_pc - told->image_base);
  const ExceptionPointers pointers = {record, context};
  while (told->scope_index < scopes.count()) {
    const Scope scope = scopes.At(told->scope_index++);
    if (scope.target == 0 || !scope.Holds(pc)) continue;
    int32_t wanted = 1;
    if (scope.handler != kAlwaysTaken) {
      wanted = static_cast<int32_t>(
          CancelsafeCallHandler(CodeAt(told->image_base, scope.handler), &pointers,
                                reinterpret_cast<const void*>(frame), nullptr, nullptr));
    }
    if (wanted < 0) return kContinueExecution;
    if (wanted > 0) {
      const void* const target = CodeAt(told->image_base, scope.target);
      UnwindTo(frame, reinterpret_cast<uint64_t>(target), record, record->code);
    }
  }
  return kContinueSearch;
}

int Unwound(const ExceptionRecord& record, uint64_t frame, DispatcherContext* told) {
  const Scopes scopes(*told);
  const auto pc = static_cast<uint32_t>(told->control_pc - told->image_base);
  const auto target = static_cast<uint32_t>(told->target_ip - told->image_base);
  const bool is_target = (record.flags & kTargetUnwind) != 0;
  while (told->scope_index < scopes.count()) {
    // Counted before it runs: an exception of its own is not its own to end.
    const Scope scope = scopes.At(told->scope_index++);
    if (!scope.Holds(pc)) continue;
    if (scope.target != 0) {
      // What follows encloses the scope that handles the exception.
      if (is_target && scope.target == target) break;
      continue;
    }
    if (is_target && scope.Holds(target)) break;
    const auto* const abnormal = reinterpret_cast<const void*>(uint64_t{1});
    CancelsafeCallHandler(CodeAt(told->image_base, scope.handler), abnormal,
                          reinterpret_cast<const void*>(frame), nullptr, nullptr);
  }
  return kContinueSearch;
}

}  // namespace

int HandleForC(ExceptionRecord* record, uint64_t frame, KernelContext* context,
               DispatcherContext* told) {
  return (record->flags & (kUnwinding | kExitUnwind)) != 0 ? Unwound(*record, frame, told)
                                                           : Handle(record, frame, context, told);
}

}  // namespace cancelsafe::drivers
