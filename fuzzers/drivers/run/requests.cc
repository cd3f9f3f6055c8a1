// Of driver_runner.h: files are opened, cleaned up and closed, requests are sent and cancelled, and
// what the driver returns and completes is judged.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/driver_runner.h"
#include "fuzzers/drivers/run/major.h"
#include "fuzzers/drivers/run/status_text.h"
#include "fuzzers/drivers/world/access.h"
#include "fuzzers/drivers/world/faults.h"

namespace cancelsafe::drivers {
namespace {

UCHAR MajorOf(DriverOp op) {
  switch (op) {
    case DriverOp::kRead:
      return kMajorRead;
    case DriverOp::kWrite:
      return kMajorWrite;
    default:
      return kMajorDeviceControl;
  }
}

}  // namespace

bool DriverRunner::Open(int number) {
  File& file = files_[number];
  TellObject(&file, true);
  TellSystem();  // the devices
  const std::vector<PDEVICE_OBJECT> devices = Devices();
  if (file.state != File::State::kNew || devices.empty()) return false;
  file.state = File::State::kBusy;
  file.object = MakeFile(devices.front());
  const bool opens = NT_SUCCESS(SendPlain(kMajorCreate, number));
  TellObject(&file, true);
  file.opened.Release(stage_.fiber());
  file.state = opens ? File::State::kOpen : File::State::kClosed;
  return true;
}

bool DriverRunner::Cleanup(int number) {
  File& file = files_[number];
  TellObject(&file, true);
  TellObject(&file.active, false);
  if (file.state != File::State::kOpen || file.active != 0) return false;
  file.state = File::State::kBusy;
  file.returned.Acquire(stage_.fiber());
  SendPlain(kMajorCleanup, number);
  TellObject(&file, true);
  file.returned.Release(stage_.fiber());
  file.state = File::State::kCleaned;
  return true;
}

bool DriverRunner::Close(int number) {
  File& file = files_[number];
  TellObject(&file, true);
  if (file.state != File::State::kCleaned || HasPending(number)) return false;
  file.state = File::State::kBusy;
  file.returned.Acquire(stage_.fiber());
  file.ended.Acquire(stage_.fiber());
  SendPlain(kMajorClose, number);
  TellObject(&file, true);
  file.state = File::State::kClosed;
  return true;
}

bool DriverRunner::HasPending(int file) const {
  return std::any_of(std::begin(requests_), std::end(requests_), [file](const Request& request) {
    if (request.sent && request.file == file) TellRequest(request, false);
    return request.file == file && (request.pending() || (request.sent && !request.returned));
  });
}

bool DriverRunner::SendRequest(const DriverOperation& operation, Request* request) {
  File& file = files_[operation.file];
  // Counting up and down is one's own: only the sum is looked at.
  const uint8_t part = static_cast<uint8_t>(1u << stage_.fiber());
  TellObject(&file, false);
  TellObject(&file.active, true, part);
  if (file.state != File::State::kOpen || request->sent) return false;
  request->operation = operation;
  request->major = MajorOf(operation.op);
  request->file = operation.file;
  RequestSpec spec;
  spec.major = request->major;
  spec.file = file.object;
  spec.output_length = operation.out;
  spec.control_code = operation.code;
  spec.unreadable = operation.unreadable;
  spec.input = InputOf(operation, profile_);
  if (profile_ != nullptr) request->kind = profile_->KindOf(operation);
  ++file.active;
  file.opened.Acquire(stage_.fiber());
  Send(request, spec);
  TellObject(&file.active, true, part);
  file.returned.Release(stage_.fiber());
  --file.active;
  return true;
}

NTSTATUS DriverRunner::SendPlain(UCHAR major, int file) {
  TellObject(&extra_, true);
  if (extra_ == kMaxExtra) return STATUS_UNSUCCESSFUL;
  Request& request = requests_[kMaxRequests + extra_++];
  request.ends_itself = true;
  request.major = major;
  request.file = static_cast<uint8_t>(file);
  RequestSpec spec;
  spec.major = major;
  spec.file = files_[file].object;
  Send(&request, spec);
  while (request.pending()) {
    stage_.Wait(&request);
    TellRequest(request, false);
  }
  return request.end_status;
}

NTSTATUS DriverRunner::Send(Request* request, const RequestSpec& spec) {
  RequestSpec numbered = spec;
  numbered.tag = static_cast<uint16_t>(request - requests_);
  request->irp = MakeRequest(numbered);
  KiIrpHeader* header = KiIrpHeaderOf(request->irp);
  header->on_complete = &OnComplete;
  header->context = request;
  const KiProcessor& processor = stage_.processor();
  const KIRQL irql = processor.irql;
  const UCHAR held = processor.held_count;
  TellRequest(*request, true);
  request->sent = true;
  const bool ordered = profile_ != nullptr && !profile_->orders.empty();
  if (ordered) TellObject(&clock_, true);
  request->sent_at = ++clock_;
  if (stage_.tells_story()) stage_.Note(StepKind::kCall, Title(*request));
  dispatched_[stage_.fiber()] = request->ends_itself ? nullptr : request;
  request->status = Dispatch(request->irp);
  dispatched_[stage_.fiber()] = nullptr;
  if (ordered) TellObject(&clock_, true);
  request->returned_at = ++clock_;
  if (stage_.tells_story()) stage_.Note(StepKind::kReturn, DescribeNtStatus(request->status));
  if (processor.held_count != held) {
    stage_.Fail(DriverRule::kLockKept,
                absl::StrCat("dispatch of ", Name(*request), " returned with a lock held"));
  }
  if (processor.irql != irql) {
    stage_.Fail(DriverRule::kIrqlKept,
                absl::StrCat("dispatch of ", Name(*request), " was called at IRQL ", irql,
                             " and returned at ", processor.irql));
  }
  TellRequest(*request, true);
  JudgeReturn(request);
  request->returned = true;
  return request->status;
}

// The mark of an IRP that was passed on is known when it is completed only.
void DriverRunner::JudgeReturn(Request* request) {
  const bool completed = request->completions != 0;
  const bool pending = request->status == STATUS_PENDING;
  if (!completed && request->irp->CurrentLocation != request->irp->StackCount) return;
  const bool marked =
      completed ? request->marked
                : (IoGetCurrentIrpStackLocation(request->irp)->Control & SL_PENDING_RETURNED) != 0;
  request->mark_is_judged = true;
  if (pending && !marked) {
    stage_.Fail(DriverRule::kPendingNotMarked,
                absl::StrCat("dispatch of ", Name(*request),
                             " returned STATUS_PENDING, and the IRP is not marked pending"));
  }
  if (!pending && marked) {
    stage_.Fail(DriverRule::kMarkedNotPending, absl::StrCat("dispatch of ", Name(*request),
                                                            " marked the IRP pending and returned ",
                                                            DescribeNtStatus(request->status)));
  }
  if (!pending && !completed) {
    stage_.Fail(DriverRule::kNeitherPendingNorCompleted,
                absl::StrCat("dispatch of ", Name(*request), " returned ",
                             DescribeNtStatus(request->status), ", and the IRP is not completed"));
  }
  if (!pending && request->status != request->end_status) {
    stage_.Fail(DriverRule::kReturnedStatusDiffers,
                absl::StrCat("dispatch of ", Name(*request), " returned ",
                             DescribeNtStatus(request->status), " and completed the IRP with ",
                             DescribeNtStatus(request->end_status)));
  }
}

void DriverRunner::OnComplete(PIRP irp, void* context) {
  auto* request = static_cast<Request*>(context);
  TellRequest(*request, true);
  ++request->completions;
  request->end_status = irp->IoStatus.Status;
  request->marked = irp->PendingReturned != 0;
  auto* runner = static_cast<DriverRunner*>(Stage::Get().play());
  runner->JudgeCompletion(request);
  runner->files_[request->file].ended.Release(Stage::Get().fiber());
  Stage::Get().Wake(request);
}

void DriverRunner::JudgeCompletion(Request* request) {
  const PIRP irp = request->irp;
  if (stage_.tells_story()) {
    const ULONG_PTR bytes = irp->IoStatus.Information;
    stage_.Note(
        StepKind::kEvent,
        absl::StrCat("completes ", Title(*request), ": ", DescribeNtStatus(request->end_status),
                     bytes == 0 ? "" : absl::StrCat(", ", bytes, " bytes")));
  }
  if (request->end_status == STATUS_PENDING) {
    stage_.Fail(DriverRule::kCompletedAsPending,
                absl::StrCat(Name(*request), " was completed with STATUS_PENDING"));
  }
  if (irp->CancelRoutine != nullptr) {
    stage_.Fail(DriverRule::kCompletedWithCancelRoutine,
                absl::StrCat(Name(*request), " was completed with its cancel routine set"));
  }
  const bool is_error = static_cast<uint32_t>(request->end_status) >> 30 == 3;
  // What the I/O manager copies back has to fit. With the other methods of device control nothing
  // is copied, and the driver may count what it has taken.
  const DriverOperation& sent = request->operation;
  constexpr uint32_t kMethodMask = 3;  // 0 is METHOD_BUFFERED
  const bool copied = sent.op != DriverOp::kIoctl || (sent.code & kMethodMask) == 0;
  const uint64_t room = sent.op == DriverOp::kWrite ? sent.in
                        : copied                    ? sent.out
                                                    : std::max(sent.in, sent.out);
  if (!request->ends_itself && !is_error && irp->IoStatus.Information > room) {
    stage_.Fail(DriverRule::kInformationBeyondBuffer,
                absl::StrCat(Name(*request), " was completed with Information ",
                             irp->IoStatus.Information, ", its buffer has ", room, " bytes"));
  }
  if (request->kind >= 0) JudgeOrder(request);
  if (!request->returned || request->mark_is_judged) return;
  const bool pending = request->status == STATUS_PENDING;
  if (pending != request->marked) {
    stage_.Fail(
        pending ? DriverRule::kPendingNotMarked : DriverRule::kMarkedNotPending,
        absl::StrCat("dispatch of ", Name(*request), " returned ",
                     DescribeNtStatus(request->status), ", and when the IRP was completed it was ",
                     request->marked ? "" : "not ", "marked pending"));
  }
}

bool DriverRunner::Cancel(Request* request) {
  TellRequest(*request, true);
  if (!request->pending() || request->cancelled) return false;
  const KiProcessor& processor = stage_.processor();
  const KIRQL irql = processor.irql;
  const UCHAR held = processor.held_count;
  request->cancelled = true;
  if (stage_.tells_story()) {
    stage_.Note(StepKind::kCall, absl::StrCat("cancel of ", Title(*request)));
  }
  const bool called = IoCancelIrp(request->irp) != FALSE;
  request->routine_called = called;
  stage_.Note(StepKind::kReturn, called ? "called the cancel routine" : "found no cancel routine");
  if (processor.held_count != held) {
    stage_.Fail(DriverRule::kLockKept, absl::StrCat("the cancel routine of ", Name(*request),
                                                    " returned with a lock held"));
  }
  if (processor.irql != irql) {
    stage_.Fail(DriverRule::kIrqlKept, absl::StrCat("the cancel routine of ", Name(*request),
                                                    " returned at IRQL ", processor.irql));
  }
  return true;
}

}  // namespace cancelsafe::drivers
