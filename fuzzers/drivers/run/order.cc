// What the driver's profile adds to the rules: the order in which requests end, and what could have
// woken one that waits.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/driver_runner.h"
#include "fuzzers/drivers/world/told.h"

namespace cancelsafe::drivers {

// A request that ends with success overtakes an older one of its file that pends in the same
// queue. Requests whose dispatch routines ran at the same time have no order; those that were
// cancelled, or are ended by cleanup, and those that fail keep none. An older one without a cancel
// routine may have been taken out, and be on its way: whether it was, is known at rest.
//
// Which older requests there are does not change any more: they had returned before this one was
// sent. What became of each of them meanwhile is told as it is read.
void DriverRunner::JudgeOrder(Request* ended) {
  if (profile_->orders.empty()) return;
  if (!NT_SUCCESS(ended->end_status) || ended->cancelled) return;
  const File& file = files_[ended->file];
  TellObject(&file, false);
  if (file.state != File::State::kOpen) return;
  for (Request& older : requests_) {
    if (!older.returned || older.returned_at > ended->sent_at) continue;
    if (older.file != ended->file || older.kind < 0) continue;
    if (!profile_->InOneOrder(older.kind, ended->kind)) continue;
    TellRequest(older, false);
    if (!older.pending() || older.cancelled) continue;
    TellLife(older.irp, false);
    TellMemory(&older.irp->CancelRoutine, sizeof older.irp->CancelRoutine, false);
    if (older.irp->CancelRoutine != nullptr) FailOrder(older, *ended);
    if (older.overtaken_by == nullptr) older.overtaken_by = ended;
  }
}

void DriverRunner::FailOrder(const Request& older, const Request& younger) {
  stage_.Fail(
      DriverRule::kOutOfOrder,
      absl::StrCat(Name(younger), " ended before ", Name(older),
                   ", which had arrived before and still waits; the profile says that '",
                   profile_->requests[static_cast<size_t>(older.kind)].name, "' keeps the order"));
}

// Where the profile says what wakes a request: whether any of those was sent and has succeeded.
bool DriverRunner::MayHaveBeenWoken(const Request& request) const {
  if (request.kind < 0) return true;
  const std::vector<int> wakers = profile_->WakersOf(request.kind);
  if (wakers.empty()) return true;
  return std::any_of(std::begin(requests_), std::end(requests_), [&](const Request& other) {
    return other.completions != 0 && NT_SUCCESS(other.end_status) &&
           std::find(wakers.begin(), wakers.end(), other.kind) != wakers.end();
  });
}

}  // namespace cancelsafe::drivers
