// See driver_runner.h. What becomes of each request is in requests.cc, what the end of a run does
// and judges in run_end.cc.
#include "fuzzers/drivers/run/driver_runner.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/control_codes.h"
#include "fuzzers/drivers/run/engine_verdict.h"
#include "fuzzers/drivers/run/major.h"
#include "fuzzers/drivers/run/status_text.h"
#include "fuzzers/drivers/world/access.h"
#include "fuzzers/drivers/world/faults.h"

namespace cancelsafe::drivers {

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
  output_.verdict = EngineVerdict(counts_races_);
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

std::string LeftOutCodesText(const DriverFacts& facts) {
  return absl::StrCat(facts.codes_left_out, " more constants look like control codes than the ",
                      facts.codes.size(), " that are tried: name those of the driver in a profile");
}

DriverFacts DriverRunner::Learn() {
  DriverProgram program;
  program.driver_fibers = kMaxDriverFibers;
  Run(program, DriverRunOptions());
  facts_.starts = !entry_failed_;
  facts_.verdict = output_.verdict;
  facts_.codes = ControlCodesIn(*image_, &facts_.codes_left_out);
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

}  // namespace cancelsafe::drivers
