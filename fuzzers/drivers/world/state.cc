// See state.h.
#include "fuzzers/drivers/world/state.h"

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe::drivers {
namespace {

// One for each processor that a platform may have, for code that no system thread runs.
constexpr int kProcessors = 256;
SystemThread* current_thread[kProcessors];
SystemThread processor_thread[kProcessors];
// Whose thread was asked for or set since the last reset: most processors do not exist.
bool was_used[kProcessors];

}  // namespace

State& TheState() {
  static State* const state = new State;
  return *state;
}

void Report(const char* rule, const char* routine, std::string text) {
  static auto* const said = new std::string;
  said->assign(text);
  std::string().swap(text);
  Scheduler().report(rule, routine, said->c_str());
}

bool CheckObject(const volatile void* address, const char* routine) {
  TellLife(address, false);
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block == nullptr || !block->freed) return true;
  Report("used-after-free", routine,
         absl::StrCat("was given an object in pool that was freed (tag ", TagText(block->tag), ", ",
                      block->bytes, " bytes)"));
  return false;
}

void Publish([[maybe_unused]] const volatile void* object) {
#ifdef CANCELSAFE_SEES_HANDOVERS
  __tsan_release(const_cast<void*>(object));
#endif
}

void Observe([[maybe_unused]] const volatile void* object) {
#ifdef CANCELSAFE_SEES_HANDOVERS
  __tsan_acquire(const_cast<void*>(object));
#endif
}

SystemThread* CurrentThread() {
  const UCHAR id = Processor()->id;
  was_used[id] = true;
  return current_thread[id] != nullptr ? current_thread[id] : &processor_thread[id];
}

void SetCurrentThread(SystemThread* thread) {
  const UCHAR id = Processor()->id;
  was_used[id] = true;
  current_thread[id] = thread;
}

void ResetThreads() {
  static bool is_first = true;
  for (int i = 0; i < kProcessors; ++i) {
    if (!was_used[i] && !is_first) continue;
    was_used[i] = false;
    current_thread[i] = nullptr;
    SystemThread& thread = processor_thread[i];
    thread = {};
    InitializeHeader(&thread.header, kThreadObject, sizeof(SystemThread), 0);
  }
  is_first = false;
}

bool MayAllocate() {
  State& state = TheState();
  // How many there were is looked at by who counts up to the one that fails.
  if (state.fail_allocation != 0) TellObject(&state.fail_allocation, true);
  return ++state.allocations != state.fail_allocation;
}

SystemCall::SystemCall(const char* what, KIRQL irql)
    : what_(what),
      irql_(irql),
      before_(Processor()->irql),
      held_(Processor()->held_count),
      regions_(CurrentThread()->critical_regions + CurrentThread()->guarded_regions) {
  Processor()->irql = irql;
}

SystemCall::~SystemCall() {
  KiProcessor* processor = Processor();
  if (processor->held_count != held_) {
    Report("lock-kept", what_,
           absl::StrCat("returned holding ", processor->held_count - held_,
                        " lock(s) more than when"
                        " it was called"));
  } else if (processor->irql != irql_) {
    Report("irql-kept", what_,
           absl::StrCat("was called at IRQL ", irql_, " and returned at ", processor->irql));
  } else if (const SystemThread* thread = CurrentThread();
             thread->critical_regions + thread->guarded_regions != regions_) {
    Report("region", what_,
           absl::StrCat("returned within ",
                        thread->critical_regions + thread->guarded_regions - regions_,
                        " critical or guarded region(s) more than it was called in"));
  }
  processor->irql = before_;
}

const char* ActivityName(DriveActivity activity) {
  switch (activity) {
    case DriveActivity::kDpc:
      return "dpc";
    case DriveActivity::kWorkItem:
      return "work item";
    case DriveActivity::kThread:
      return "thread";
    case DriveActivity::kAfterDpcs:
      return "flush of dpcs";
    case DriveActivity::kLower:
      return "lower device";
    case DriveActivity::kFileSystem:
      return "file system";
  }
  return "";
}

}  // namespace cancelsafe::drivers
