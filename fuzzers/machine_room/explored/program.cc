// See program.h.
#include "fuzzers/machine_room/explored/program.h"

namespace cancelsafe {
namespace {

constexpr RoomOp kNotQueued = RoomOp::kHoldCancelLock;
constexpr int kStepsMax = 3;

}  // namespace

std::vector<RoomProgram> RoomScenarios() {
  using Op = RoomOp;
  return {
      {"two cancels on one share beside a holder of the lock",
       {{{Op::kCancel, 0}}, {{Op::kHoldCancelLock}}, {{Op::kCancel, 1}}},
       {Op::kQueueSharing, Op::kQueueSharing}},
      {"cancels on two shares beside a holder of the lock",
       {{{Op::kCancel, 0}}, {{Op::kCancel, 1}}, {{Op::kHoldCancelLock}}},
       {Op::kQueueSharing, Op::kQueueSharing}},
      {"a driver's routine beside a sharing one",
       {{{Op::kCancel, 0}}, {{Op::kCancel, 1}}, {}},
       {Op::kQueue, Op::kQueueSharing}},
      {"a driver's routine beside a holder of the lock",
       {{{Op::kCancel, 0}}, {{Op::kHoldCancelLock}}},
       {Op::kQueue}},
      {"a cancel while a driver queues", {{{Op::kQueue, 0}}, {{Op::kCancel, 0}}}, {}},
      {"a cancel while a library queues", {{{Op::kQueueSharing, 0}}, {{Op::kCancel, 0}}}, {}},
      {"a cancel while a driver takes", {{{Op::kTake, 0}}, {{Op::kCancel, 0}}}, {Op::kQueue}},
      {"a cancel while a library takes",
       {{{Op::kTake, 0}}, {{Op::kCancel, 0}}},
       {Op::kQueueSharing}},
      {"two cancels of one driver's IRP", {{{Op::kCancel, 0}}, {{Op::kCancel, 0}}}, {Op::kQueue}},
      {"two cancels of one library's IRP",
       {{{Op::kCancel, 0}}, {{Op::kCancel, 0}}},
       {Op::kQueueSharing}},
      {"a cancel while the IRP is completed", {{{Op::kComplete, 0}}, {{Op::kCancel, 0}}}, {}},
      {"two completions of one IRP", {{{Op::kComplete, 0}}, {{Op::kComplete, 0}}}, {}},
      {"a cancel while a driver queues again",
       {{{Op::kRequeue, 0}}, {{Op::kCancel, 0}}},
       {Op::kQueue}},
      {"a driver that looks for its routine under the lock",
       {{{Op::kQueue, 0}, {Op::kDisarm, 0}}, {{Op::kCancel, 0}}},
       {}},
      {"a spin lock", {{{Op::kSpinLock}}, {{Op::kSpinLock}}}, {}},
      {"a fast mutex at two levels", {{{Op::kFastMutex}}, {{Op::kFastMutex}}}, {}},
  };
}

RoomProgram RoomProgramOf(const uint8_t* data, size_t size) {
  size_t at = 0;
  const auto next = [&](int below) { return at < size ? data[at++] % below : 0; };
  RoomProgram program;
  program.name = "from bytes";
  bool queued[kRoomIrps], completed[kRoomIrps] = {};
  constexpr RoomOp kBefore[] = {kNotQueued, RoomOp::kQueue, RoomOp::kQueueSharing};
  for (int i = 0; i < kRoomIrps; ++i) {
    program.before[i] = kBefore[next(3)];
    queued[i] = program.before[i] != kNotQueued;
  }
  const int fibers = 2 + next(kRoomFibers - 1);
  for (int fiber = 0; fiber < fibers; ++fiber) {
    std::vector<RoomStep> steps;
    for (int left = 1 + next(kStepsMax); left > 0; --left) {
      RoomStep step = {static_cast<RoomOp>(next(static_cast<int>(RoomOp::kFastMutex) + 1)),
                       next(kRoomIrps)};
      const bool queues = step.op == RoomOp::kQueue || step.op == RoomOp::kQueueSharing;
      if (queues && (queued[step.irp] || completed[step.irp])) step.op = RoomOp::kCancel;
      if (step.op == RoomOp::kComplete && queued[step.irp]) step.op = RoomOp::kTake;
      queued[step.irp] |= step.op == RoomOp::kQueue || step.op == RoomOp::kQueueSharing;
      completed[step.irp] |= step.op == RoomOp::kComplete;
      steps.push_back(step);
    }
    program.fibers.push_back(std::move(steps));
  }
  return program;
}

}  // namespace cancelsafe
