// The end of a run, on the manager's fiber: what pends at rest, whether it can be cancelled and
// whether it waited in vain, cleanup and close of every file, unload, and what is left.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/driver_runner.h"
#include "fuzzers/drivers/run/major.h"
#include "fuzzers/drivers/world/told.h"

namespace cancelsafe::drivers {

void DriverRunner::Manage() {
  stage_.Note(StepKind::kCall, "DriverEntry");
  const PDRIVER_DISPATCH by_default = DriverObject()->MajorFunction[kMajorRead];
  const NTSTATUS status = StartDriver();
  stage_.Note(StepKind::kReturn, NT_SUCCESS(status) ? "success" : "failure");
  entry_failed_ = !NT_SUCCESS(status);
  facts_.load_allocations = stage_.started_activities() == 0 ? AllocationCount() : 0;
  loaded_.Release(stage_.fiber());
  if (!entry_failed_) {
    const PDRIVER_OBJECT driver = DriverObject();
    const auto serves = [&](UCHAR major) {
      return driver->MajorFunction[major] != by_default || FiltersMajor(major);
    };
    facts_.reads = serves(kMajorRead);
    facts_.writes = serves(kMajorWrite);
    facts_.controls = serves(kMajorDeviceControl);
    facts_.filters = IsFilter();
    facts_.has_device = !Devices().empty();
    facts_.adds_device = HasAddDevice();
    for (const DriverOperation& operation : program_->operations) {
      if (operation.fiber == kBefore) Do(operation);
    }
  }
  loaded_.Release(stage_.fiber());
  started_ = true;
  stage_.Wake(&started_);
  BringToRest();
  if (stage_.starved()) return;
  if (!entry_failed_) {
    JudgePending();
    CancelAndProbe();
    EndFiles();
    if (!unloaded_ && !Unload(/*mandatory=*/true)) return;
    stage_.WaitForRest();
  }
  if (!stage_.starved()) JudgeUnloaded();
}

// False if it was unloaded before, or is being so, or cannot be.
bool DriverRunner::Unload(bool mandatory) {
  // The filter manager looks at all operations that are under way.
  const ToldService told(IsFilter() ? ToldKind::kAnything : ToldKind::kOwn);
  TellObject(&unloaded_, true);
  if (unloaded_) return false;
  unloaded_ = true;
  stage_.Note(StepKind::kCall, "unload");
  unloaded_ = UnloadDriver(mandatory);
  stage_.Note(StepKind::kReturn, unloaded_    ? ""
                                 : IsFilter() ? "the filter is not unloaded"
                                              : "the driver has no routine for it");
  if (unloaded_) stage_.NoteUnloaded();
  return unloaded_;
}

bool DriverRunner::CancelStuck() {
  bool cancelled = false;
  for (Request& request : requests_) {
    // Nothing cancels those two.
    if (request.major == kMajorCleanup || request.major == kMajorClose) continue;
    if (request.sent && !request.returned && Cancel(&request)) cancelled = true;
  }
  return cancelled;
}

// A request of the manager's, before the fibers or as a probe, is waited with: the fibers may do
// what it waits for, or else it is cancelled.
bool DriverRunner::Unstick() {
  const ToldService told(ToldKind::kAnything);
  if (started_) return CancelStuck();
  started_ = true;
  stage_.Wake(&started_);
  return true;
}

// A request that its dispatch routine waits with, instead of pending it, is cancelled. The fiber
// then goes on, and may do the same again.
void DriverRunner::BringToRest() {
  stage_.WaitForRest();
  while (CancelStuck()) stage_.WaitForRest();
  for (const Request& request : requests_) {
    if (!request.sent || request.returned) continue;
    if (stage_.gave_up_waiting()) {
      stage_.Fail(DriverRule::kHostLimit,
                  absl::StrCat("dispatch of ", Name(request),
                               " waits, and timers and time-outs go on without an end"));
    }
    stage_.Fail(DriverRule::kWaitWithoutEnd,
                absl::StrCat("dispatch of ", Name(request), " waits, nothing can end the wait",
                             request.cancelled ? ", and to cancel the IRP does not" : ""));
  }
}

// Cleanup is for the driver that owns the device. No page asks it of a minifilter, which may leave
// what it pends to cancellation.
void DriverRunner::JudgeAfterCleanup(const Request& request) {
  if (facts_.filters || files_[request.file].state != File::State::kCleaned) return;
  stage_.Fail(DriverRule::kPendingAfterCleanup,
              absl::StrCat(Name(request), " is pending after the cleanup of file ", request.file));
}

void DriverRunner::JudgePending() {
  if (stage_.restless()) return;
  for (const Request& request : requests_) {
    if (!request.pending()) continue;
    JudgeAfterCleanup(request);
    if (request.overtaken_by != nullptr && !request.cancelled) {
      FailOrder(request, *request.overtaken_by);
    }
    if (request.cancelled) {
      stage_.Fail(DriverRule::kCancelledNotEnded,
                  absl::StrCat(Name(request), " was cancelled, and nothing ends it"));
    }
    if (request.irp->CancelRoutine == nullptr && !stage_.driver_is_active()) {
      stage_.Fail(DriverRule::kPendingWithoutEnd,
                  absl::StrCat(Name(request),
                               " pends without a cancel routine, and the driver has"
                               " no timer, work item or thread that could end it"));
    }
  }
}

// What pends at rest, though the same request, sent after it was cancelled and with nothing
// done in between, ends with success at once, has waited for what was there. Each is asked in turn,
// with all others still pending, and the second one pends on in its place: a request that waits for
// its turn behind another one is right to wait.
void DriverRunner::CancelAndProbe() {
  constexpr int kMaxProbes = 4;
  Request* probes[kMaxProbes];
  int count = 0;
  for (int i = 0; i < kMaxRequests; ++i) {
    Request& request = requests_[i];
    if (!request.pending()) continue;
    CancelAtRest(&request);
    if (request.pending() || stage_.restless() || count == kMaxProbes || extra_ == kMaxExtra) {
      continue;
    }
    Request& probe = requests_[kMaxRequests + extra_++];
    SendRequest(request.operation, &probe);
    if (probe.sent && !probe.pending() && probe.status != STATUS_PENDING &&
        NT_SUCCESS(probe.end_status) && MayHaveBeenWoken(request)) {
      stage_.Fail(DriverRule::kLostWakeUp,
                  absl::StrCat(Name(request),
                               " pended when nothing could happen any more; the same request, sent"
                               " then, succeeds at once"));
    }
    probes[count++] = &probe;
    stage_.WaitForRest();
  }
  for (int i = 0; i < count; ++i) {
    if (probes[i]->pending()) CancelAtRest(probes[i]);
  }
}

// Cancels a request that pends at rest, and judges whether that ends it, at the next rest.
void DriverRunner::CancelAtRest(Request* request) {
  if (!Cancel(request)) return;
  stage_.WaitForRest();
  const bool had_routine =
      request->routine_called || (request->pending() && request->irp->CancelRoutine != nullptr);
  if (!request->pending() || !had_routine || stage_.restless()) return;
  stage_.Fail(DriverRule::kCancelledNotEnded,
              absl::StrCat(Name(*request), " was cancelled, and nothing ends it"));
}

void DriverRunner::EndFiles() {
  for (int number = 0; number < kMaxFiles; ++number) {
    Cleanup(number);
    stage_.WaitForRest();
    if (files_[number].state != File::State::kCleaned) continue;
    for (const Request& request : requests_) {
      if (request.pending() && request.file == number && !stage_.restless()) {
        JudgeAfterCleanup(request);
      }
    }
    Close(number);
    stage_.WaitForRest();
  }
}

void DriverRunner::JudgeUnloaded() {
  if (!entry_failed_ && stage_.driver_is_active()) {
    stage_.Fail(DriverRule::kRunsAfterUnload,
                "a thread, work item, DPC or timer of the driver is left after unload");
  }
  const std::vector<Leak> leaks = Leaks();
  if (!leaks.empty()) {
    stage_.Fail(
        DriverRule::kKeptAtUnload,
        absl::StrCat(leaks.front().text, entry_failed_ ? " is left after DriverEntry has failed"
                                                       : " is left after unload"));
  }
}

void DriverRunner::JudgeMemory() {
  for (const Request& request : requests_) {
    if (request.irp != nullptr && request.completions != 0 && !KiRetiredIntact(request.irp)) {
      stage_.Fail(DriverRule::kUsedAfterCompletion,
                  absl::StrCat("the IRP of ", Name(request), " was written to after completion"));
      return;
    }
  }
  const std::string damage = DamagedMemory();
  if (!damage.empty()) stage_.Fail(DriverRule::kDamagedMemory, damage);
}

}  // namespace cancelsafe::drivers
