// See driver_runner.h. What the end of a run does and judges is in run_end.cc.
#include "fuzzers/drivers/run/driver_runner.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/control_codes.h"
#include "fuzzers/drivers/run/engine_verdict.h"
#include "fuzzers/drivers/run/major.h"
#include "fuzzers/drivers/world/access.h"
#include "fuzzers/drivers/world/faults.h"

namespace cancelsafe::drivers {
namespace {

// "STATUS_PENDING", or the number.
std::string DescribeNtStatus(NTSTATUS status) {
  switch (static_cast<uint32_t>(status)) {
#define CANCELSAFE_STATUS(value, name) \
  case value:                          \
    return name;
#include "fuzzers/drivers/run/status_names.def"
#undef CANCELSAFE_STATUS
    default:
      return absl::StrFormat("0x%08X", static_cast<uint32_t>(status));
  }
}

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

DriverRunner::DriverRunner(DriverImage* image, const Implementation* queues)
    : image_(image), queues_(queues) {
  stage_.Install();
}

const DriverRunOutput& DriverRunner::Run(const DriverProgram& program,
                                         const DriverRunOptions& options) {
  program_ = &program;
  output_.verdict = Verdict();
  output_.operations = output_.skipped = 0;
  for (File& file : files_) file = File();
  for (Request& request : requests_) request = Request();
  extra_ = 0;
  clock_ = 0;
  started_ = entry_failed_ = unloaded_ = false;
  loaded_ = Handover();
  static constexpr uint32_t kNoHistory = 0;
  memory_.TellAccesses(options.tells);
  SetTelling(options.tells, options.tells && sees_all_accesses());
  memory_.Begin(program.schedule, schedule::MemoryModel::kUnnamed, /*access_points=*/false,
                &kNoHistory);
  WorldOptions world;
  world.fail_allocation = program.fail_allocation;
  world.implementation = queues_;
  BeginRun(image_, world);
  AccessOptions access;
  access.points = options.access_points;
  if (feedback_ != nullptr) {
    std::fill(std::begin(dispatched_), std::end(dispatched_), nullptr);
    access.covered = [](uint32_t number) {
      static_cast<DriverRunner*>(Stage::Get().play())->feedback_->EnterBlock(number);
    };
    access.compared = [](uint64_t a, uint64_t b, size_t bytes, const void* site) {
      auto* const runner = static_cast<DriverRunner*>(Stage::Get().play());
      const int fiber = Stage::Get().fiber();
      const Request* request = fiber < 0 ? nullptr : runner->dispatched_[fiber];
      if (request == nullptr) return;
      runner->feedback_->Compare(request->operation,
                                 {a, b, bytes, reinterpret_cast<uintptr_t>(site)});
    };
  }
  SetAccessOptions(access);
  StageOptions stage;
  stage.access_points = options.access_points;
  stage.tells_story = options.tells_story;
  stage.scheduler = options.scheduler;
  stage.run = options.schedule;
  MemoryRun::BeginFibers();
  stage_.Run(this, program.fibers, program.driver_fibers, program.schedule, stage,
             &output_.schedule);
  SetTelling(false, true);
  MemoryRun::EndFibers();
  MemoryRun::End();
  memory_.WriteTo(&output_.schedule.executed);
  output_.story = options.tells_story ? &stage_.story() : nullptr;
  output_.allocations = AllocationCount();
  output_.activities = stage_.started_activities();
  output_.starved = stage_.starved();
  output_.restless = stage_.restless();
  output_.hung = RunHung();
  output_.verdict = EngineVerdict(options.races);
  if (output_.verdict.ok()) output_.verdict = stage_.verdict();
  if (output_.verdict.ok()) {
    JudgeMemory();
    output_.verdict = stage_.verdict();
  }
  if (output_.verdict.ok() && output_.starved) {
    output_.verdict =
        MakeDriverVerdict(DriverRule::kHostLimit,
                          absl::StrCat("the driver started more at a time than 'driver-fibers ",
                                       program.driver_fibers, "' has room for"));
  }
  if (options.tells_story && !output_.verdict.ok()) NameStaleChoices();
  if (options.tells) output_.outcome = Outcome();
  if (feedback_ != nullptr) TellFeedback();
  return output_;
}

std::string DriverRunner::Outcome() const {
  if (!output_.verdict.ok()) return output_.verdict.rule;
  std::string text;
  for (const Request& request : requests_) {
    if (!request.sent || request.ends_itself) continue;
    absl::StrAppend(&text, Title(request), request.cancelled ? " (cancelled)" : "", " ",
                    DescribeNtStatus(request.status), "; ");
    if (request.completions == 0) continue;
    absl::StrAppend(&text, DescribeNtStatus(request.end_status), "; ");
  }
  return absl::StrCat(text, output_.skipped, " skipped");
}

bool DriverRunner::sees_all_accesses() const {
  return memory::kHooked && image_->instrumented() &&
         (queues_ == nullptr || MemoryRun::SeesAccessesOf(*queues_));
}

// What each request came to, alone and after the one before it.
void DriverRunner::TellFeedback() {
  feedback_->NoteRun(program_->driver_fibers, output_.allocations);
  uint64_t before = 0;
  for (const Request& request : requests_) {
    if (!request.sent || request.ends_itself) continue;
    const auto status = static_cast<uint32_t>(request.completions != 0 ? request.end_status : 0);
    uint64_t outcome = static_cast<uint64_t>(request.operation.op) + 1;
    outcome = Random(outcome << 32 | request.operation.code).Next() ^ status;
    outcome = Random(outcome).Next() + uint64_t{request.status == STATUS_PENDING} * 2 +
              uint64_t{request.cancelled} * 4 + uint64_t{request.routine_called} * 8 +
              uint64_t{request.completions != 0} * 16;
    feedback_->NoteOutcome(outcome);
    if (before != 0) feedback_->NoteOutcome(before * 31 + outcome);
    before = outcome;
  }
}

DriverFacts DriverRunner::Learn() {
  DriverProgram program;
  program.driver_fibers = kMaxDriverFibers;
  Run(program, DriverRunOptions());
  facts_.starts = !entry_failed_;
  facts_.verdict = output_.verdict;
  facts_.codes = ControlCodesIn(*image_);
  return facts_;
}

std::string DriverRunner::Title(const Request& request) const {
  if (request.ends_itself) {
    return absl::StrCat(request.major == kMajorCreate    ? "open "
                        : request.major == kMajorCleanup ? "cleanup "
                                                         : "close ",
                        request.file);
  }
  return PrintDriverOperation(request.operation);
}

void DriverRunner::NameStaleChoices() {
  for (const std::string& line :
       EngineStory(memory_, [this](uintptr_t address) { return NameOfAddress(address); })) {
    output_.verdict.evidence.push_back("! " + line);
  }
}

std::string DriverRunner::NameOfAddress(uintptr_t address) const {
  for (const Request& request : requests_) {
    if (request.irp == nullptr) continue;
    const auto is = [address](const auto& field) {
      return reinterpret_cast<uintptr_t>(&field) == address;
    };
    if (is(request.irp->CancelRoutine)) return "CancelRoutine of " + Name(request);
    if (is(request.irp->Cancel)) return "Cancel of " + Name(request);
  }
  return DescribeAddress(reinterpret_cast<const void*>(address));
}

std::string DriverRunner::Name(const Request& request) const {
  return absl::StrCat("'", Title(request), "'");
}

void DriverRunner::Fiber(int fiber) {
  while (!started_) stage_.WaitQuietly(&started_);
  loaded_.Acquire(fiber);
  if (entry_failed_) return;
  for (const DriverOperation& operation : program_->operations) {
    if (operation.fiber == fiber) Do(operation);
  }
}

void DriverRunner::Do(const DriverOperation& operation) {
  stage_.Point(nullptr);
  ++(Carry(operation) ? output_.operations : output_.skipped);
}

bool DriverRunner::Carry(const DriverOperation& operation) {
  switch (operation.op) {
    case DriverOp::kOpen:
      return Open(operation.file);
    case DriverOp::kCleanup:
      return Cleanup(operation.file);
    case DriverOp::kClose:
      return Close(operation.file);
    case DriverOp::kRead:
    case DriverOp::kWrite:
    case DriverOp::kIoctl:
      return SendRequest(operation, &requests_[operation.request]);
    case DriverOp::kCancel:
      return Cancel(&requests_[operation.request]);
    case DriverOp::kUnload:
      return IsFilter() && Unload(/*mandatory=*/false);
    case DriverOp::kAdvance:
      stage_.Note(StepKind::kEvent, PrintDriverOperation(operation));
      stage_.Advance(operation.number);
      return true;
  }
  return false;
}

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
