// See cancelsafe/scenario.h. The bodies run on the same fibers, against the same
// drivers and oracle, as saved programs do.
#include "cancelsafe/scenario.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "fuzzers/explain/story.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

constexpr unsigned kSecondsMax = 20;

// Where the steps of a body go: into a program first, to the driver later.
struct Sink {
  Program* program = nullptr;
  FamilyDriver* driver = nullptr;
  int fiber = 0;
  cancelsafe::Setup setup;
};

uint8_t FlagOf(Argument::Kind kind) {
  switch (kind) {
    case Argument::kContext:
      return kWithContext;
    case Argument::kCancelFunction:
      return kCancelable;
    case Argument::kDeferred:
      return kDeferred;
    case Argument::kNonCancelable:
      return kNonCancelable;
    case Argument::kOtherQueue:
      return kOtherQueue;
    default:
      return 0;
  }
}

}  // namespace

Steps& Steps::At(int irql) {
  irql_ = irql;
  return *this;
}

void Steps::Call(int operation_number, int item, Arguments arguments) {
  cancelsafe::Operation operation;
  operation.op = static_cast<Op>(operation_number);
  operation.item = static_cast<uint8_t>(item % ItemsOf(static_cast<const Sink*>(sink_)->setup));
  operation.irql = static_cast<uint8_t>(irql_);
  irql_ = 0;
  for (const Argument& argument : arguments) {
    operation.flags |= FlagOf(argument.kind);
    if (argument.kind == Argument::kKey) operation.key = argument.value;
    if (argument.kind == Argument::kSelector) {
      operation.selector = static_cast<uint8_t>(argument.value);
    }
  }
  const auto* sink = static_cast<Sink*>(sink_);
  if (sink->driver != nullptr) {
    sink->driver->Call(operation);
    return;
  }
  Program& program = *sink->program;
  if (program.operation_count == MaxOperationsOf(program.setup)) return;
  program.fiber_of[program.operation_count] = static_cast<uint8_t>(sink->fiber);
  program.operations[program.operation_count++] = operation;
}

void Steps::Operation(const char* name, Item item, Arguments arguments) {
  for (int i = 0; i < kOpCount; ++i) {
    if (absl::string_view(name) == OperationName(static_cast<Op>(i))) {
      Call(i, item.number, arguments);
    }
  }
}

#define CANCELSAFE_STEP_ITEM_ARGUMENTS(routine, op)     \
  void Steps::routine(Item item, Arguments arguments) { \
    Call(static_cast<int>(op), item.number, arguments); \
  }
#define CANCELSAFE_STEP_ITEM(routine, op) \
  void Steps::routine(Item item) { Call(static_cast<int>(op), item.number, {}); }
#define CANCELSAFE_STEP_ARGUMENTS(routine, op) \
  void Steps::routine(Arguments arguments) { Call(static_cast<int>(op), 0, arguments); }
#define CANCELSAFE_STEP(routine, op) \
  void Steps::routine() { Call(static_cast<int>(op), 0, {}); }

CANCELSAFE_STEP_ITEM_ARGUMENTS(IoCsqInsertIrp, Op::kInsert)
CANCELSAFE_STEP_ITEM_ARGUMENTS(IoCsqInsertIrpEx, Op::kInsertEx)
CANCELSAFE_STEP_ITEM(IoCsqRemoveIrp, Op::kRemove)
CANCELSAFE_STEP_ARGUMENTS(IoCsqRemoveNextIrp, Op::kRemoveNext)
CANCELSAFE_STEP_ITEM(IoCancelIrp, Op::kCancel)
CANCELSAFE_STEP(HoldCancelSpinLock, Op::kHoldCancelLock)
CANCELSAFE_STEP_ITEM(IofCompleteRequest, Op::kComplete)
CANCELSAFE_STEP_ARGUMENTS(FltCbdqEnable, Op::kEnable)
CANCELSAFE_STEP_ARGUMENTS(FltCbdqDisable, Op::kDisable)
CANCELSAFE_STEP_ITEM_ARGUMENTS(FltCbdqInsertIo, Op::kInsertEx)
CANCELSAFE_STEP_ITEM(FltCbdqRemoveIo, Op::kRemove)
CANCELSAFE_STEP_ARGUMENTS(FltCbdqRemoveNextIo, Op::kRemoveNext)
CANCELSAFE_STEP_ITEM(FltCompletePendedPreOperation, Op::kComplete)
CANCELSAFE_STEP_ITEM(KeInsertDeviceQueue, Op::kQueueInsert)
CANCELSAFE_STEP_ITEM_ARGUMENTS(KeInsertByKeyDeviceQueue, Op::kQueueInsertByKey)
CANCELSAFE_STEP(KeRemoveDeviceQueue, Op::kQueueRemove)
CANCELSAFE_STEP_ARGUMENTS(KeRemoveByKeyDeviceQueue, Op::kQueueRemoveByKey)
CANCELSAFE_STEP_ARGUMENTS(KeRemoveByKeyDeviceQueueIfBusy, Op::kQueueRemoveByKeyIfBusy)
CANCELSAFE_STEP_ITEM(KeRemoveEntryDeviceQueue, Op::kQueueRemoveEntry)
CANCELSAFE_STEP_ITEM_ARGUMENTS(IoStartPacket, Op::kStartPacket)
CANCELSAFE_STEP_ITEM_ARGUMENTS(IoStartPacketByKey, Op::kStartPacketByKey)
CANCELSAFE_STEP_ARGUMENTS(IoStartNextPacket, Op::kStartNext)
CANCELSAFE_STEP_ARGUMENTS(IoStartNextPacketByKey, Op::kStartNextByKey)
CANCELSAFE_STEP_ARGUMENTS(IoSetStartIoAttributes, Op::kSetAttributes)

struct Scenario::State {
  std::string target;
  std::string setup;
  std::string memory;
  std::string error;
  Implementation implementation;
  RunnerOptions options;
  std::vector<std::function<void(Steps&)>> bodies;
  std::vector<Switch> switches;
  cancelsafe::Setup queue;
};

Scenario::Scenario(const std::string& target, const std::string& implementation)
    : state_(new State) {
  state_->target = target;
  state_->implementation = BuiltInImplementation();
  if (!implementation.empty()) {
    state_->options.reading = ReadingFor(implementation, false);
    LoadImplementation(implementation, &state_->implementation, &state_->error);
  }
}

Scenario::~Scenario() = default;

void Scenario::Setup(const std::string& line) { absl::StrAppend(&state_->setup, line, "\n"); }
void Scenario::Fiber(std::function<void(Steps&)> body) {
  state_->bodies.push_back(std::move(body));
}
void Scenario::Switches(const std::vector<Switch>& switches) { state_->switches = switches; }
void Scenario::Memory(const std::string& model, const std::string& stale_choices) {
  state_->memory = absl::StrCat("memory ", model, "\n");
  if (!stale_choices.empty()) {
    absl::StrAppend(&state_->memory, "stale-choices ", stale_choices, "\n");
  }
  if (state_->error.empty()) state_->error = ReadMemoryModel(model, &state_->options.memory);
}
void Scenario::Strict() { state_->options.reading = Reading::kOwn; }
void Scenario::PointsAtEveryAccess() { state_->options.access_points = true; }

std::string Scenario::Run() {
  if (!state_->error.empty()) return state_->error;
  const absl::StatusOr<Program> setup =
      ParseProgram(absl::StrCat("target ", state_->target, "\n", state_->setup, state_->memory,
                                // A single fiber has no such choices.
                                "fiber 0\nfiber 1\n"));
  if (!setup.ok()) return std::string(setup.status().message());
  Program program = *setup;
  state_->queue = program.setup;
  program.fibers = static_cast<int>(state_->bodies.size());
  if (program.fibers < 1 || program.fibers > kMaxFibers) return "a scenario has 1 to 4 fibers";
  for (int fiber = 0; fiber < program.fibers; ++fiber) {
    Sink sink = {&program, nullptr, fiber, program.setup};
    Steps steps(&sink);
    state_->bodies[static_cast<size_t>(fiber)](steps);
  }
  for (const Switch& change : state_->switches) {
    if (program.schedule.choice_count == schedule::kMaxChoices) break;
    program.schedule.choices[program.schedule.choice_count++] = {
        static_cast<uint16_t>(change.step), static_cast<uint8_t>(change.fiber)};
  }
  const char* missing = nullptr;
  Runner runner(program.setup.family, state_->implementation, state_->options, &missing);
  if (missing != nullptr) return absl::StrCat("the implementation does not provide ", missing);
  runner.SetBody(
      [](void* context, FamilyDriver* driver, int fiber) {
        State& state = *static_cast<State*>(context);
        Sink sink = {nullptr, driver, fiber, state.queue};
        Steps steps(&sink);
        state.bodies[static_cast<size_t>(fiber)](steps);
      },
      state_.get());
  alarm(kSecondsMax);
  const Observation observation = Observe(&runner, program);
  alarm(0);
  if (observation.verdict.ok()) return "";
  return absl::StrCat(VerdictLineOf(observation), "\n\n", StoryOf(observation));
}

}  // namespace cancelsafe
