// The machine room keeps its promises: small programs under every schedule with up to
// three preemptions (two where there are three processors), and random programs under random
// schedules. The shared object under test is named by CANCELSAFE_MACHINE_ROOM, or is the room as it
// is.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>

#include "fuzzers/machine_room/explored/run.h"

namespace cancelsafe {
namespace {

constexpr int64_t kRunsMax = 400000;
constexpr int kRandomPrograms = 20000;

RoomRunner& Runner() {
  static const char* const path = getenv("CANCELSAFE_MACHINE_ROOM");
  static RoomRunner& runner = RunnerOf(path != nullptr ? path : CANCELSAFE_ROOM_PATH);
  return runner;
}

class MachineRoomScenario : public testing::TestWithParam<int> {};

TEST_P(MachineRoomScenario, KeepsItsPromisesUnderEverySchedule) {
  const RoomProgram program = RoomScenarios()[static_cast<size_t>(GetParam())];
  const RoomRunner::Explored explored =
      Runner().Explore(program, program.fibers.size() > 2 ? 2 : 3, kRunsMax);
  RecordProperty("runs", static_cast<int>(explored.runs));
  ASSERT_EQ("", explored.failure) << program.name << ", run " << explored.runs;
  EXPECT_TRUE(explored.complete) << program.name << ": " << explored.runs << " runs";
  EXPECT_GT(explored.runs, 10) << "no schedules to speak of: are there access points?";
}

INSTANTIATE_TEST_SUITE_P(Small, MachineRoomScenario,
                         testing::Range(0, static_cast<int>(RoomScenarios().size())));

TEST(MachineRoom, KeepsItsPromisesInRandomPrograms) {
  Random random(1);
  int switched = 0;
  for (int i = 0; i < kRandomPrograms; ++i) {
    const RoomInput input = RandomRoomInput(&random);
    ASSERT_EQ("", Runner().Run(input.program, input.schedule))
        << "program " << i << ", " << schedule::NameOf(input.schedule.kind);
    switched += input.program.fibers.size() > 2;
  }
  EXPECT_GT(switched, kRandomPrograms / 2);
}

// The judge itself: what it is for, it says.
TEST(RoomJudge, NamesWhatIsWrong) {
  RoomJudge alone;
  alone.EnterCancelLock(0, kKiCancelLockShare);
  alone.EnterCancelLock(1, kKiCancelLockShare);
  EXPECT_EQ("", alone.failure()) << "two shares";
  alone.EnterCancelLock(2, kKiCancelLockShare);
  EXPECT_EQ("two processors hold one share of the cancel lock (fiber 2)", alone.failure());

  RoomJudge whole;
  whole.EnterCancelLock(1, kKiCancelLockShare);
  whole.LeaveCancelLock(1);
  whole.EnterCancelLock(0, kKiCancelLockWhole);
  EXPECT_EQ("", whole.failure());
  whole.EnterCancelLock(1, kKiCancelLockShare);
  EXPECT_EQ("a holder of the whole cancel lock is not alone (fiber 1)", whole.failure());

  RoomJudge lost;
  lost.Queued(0, false);
  lost.CancelBegins(0, 1);
  lost.CancelReturned(0, 1, false);
  lost.RunEnded(0, {false, false, 0, true, false});
  EXPECT_EQ("", lost.failure()) << "the driver is about to take it back";
  lost.RunEnded(0, {false, false, 0, true, true});
  EXPECT_EQ("a cancel is lost: the IRP was cancelled and is still queued (fiber 0)",
            lost.failure());

  RoomJudge twice;
  twice.Ends(2, 0);
  twice.Ends(2, 1);
  EXPECT_EQ("an IRP ends twice (fiber 1)", twice.failure());

  RoomJudge level;
  KiProcessor processor = {};
  processor.irql = APC_LEVEL;
  level.StepEnded(processor, PASSIVE_LEVEL, 3);
  EXPECT_EQ("the IRQL is not what it was before (fiber 3)", level.failure());
}

}  // namespace
}  // namespace cancelsafe
