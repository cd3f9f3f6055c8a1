// Programs with two queues of a family: each has its own items, and items move between them.
#include "fuzzers/run/run_testing.h"

namespace cancelsafe {
namespace {

TEST(TwoQueuesTest, WithTwoQueuesAnIrpIsFoundInTheOneItWentInto) {
  Bench bench(Family::kCsq);
  const Verdict& verdict = bench.Run(R"(target csq
    queue queues=two
    fiber 0
      insert 0
      remove-next other-queue
      remove-next
      insert 0 context other-queue
      remove-next
      remove 0
      insert 0 other-queue
      cancel 0)");
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  const History& history = bench.runner().history();
  ExpectOutcomes(history, {0, kNothing, 0, 0, kNothing, 0, 0, 1});
}

TEST(TwoQueuesTest, OfTwoDeviceQueuesEachIsBusyByItselfAndAnEntryMovesBetweenThem) {
  for (const char* memory : {"fresh", "used"}) {
    Bench bench(Family::kDeviceQueue);
    const Verdict& verdict =
        bench.Run(std::string("target device-queue\n queue queues=two memory=") + memory + R"(
    fiber 0
      queue-insert 0
      queue-insert-by-key 1 key=7
      queue-insert 2 other-queue
      queue-remove-by-key key=7
      queue-insert 1 other-queue
      queue-remove-entry 1
      queue-remove other-queue
      queue-remove other-queue
      queue-remove)");
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
    const RunOutput& run = bench.runner().output();
    // The second removal from the other queue would find it idle, which its contract forbids.
    EXPECT_EQ(run.skipped[static_cast<int>(Skip::kQueueMayBeIdle)], 1);
    const History& history = bench.runner().history();
    ExpectOutcomes(history, {0, 1, 0, 1, 1, 1, kNothing, kNothing});
    // Where the entry was is said.
    EXPECT_EQ(QueueOf(history.calls[5].operation), 1);
  }
}

TEST(TwoQueuesTest, OfTwoStartIoDevicesEachHasItsOwnCurrentPacket) {
  for (const char* memory : {"fresh", "used"}) {
    Bench bench(Family::kStartIo);
    const Verdict& verdict =
        bench.Run(std::string("target start-io\n queue queues=two memory=") + memory + R"(
    fiber 0
      start-packet 0
      start-packet 1 other-queue
      start-packet 2 cancelable
      start-packet 3 cancelable other-queue
      start-next
      cancel 3
      start-next other-queue
      start-packet 3 other-queue
      start-next)");
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
    const History& history = bench.runner().history();
    ExpectOutcomes(history, {1, 1, 0, 0, 2, 1, kNothing, 1, kNothing});
  }
}

// A call that may still look for an entry in one queue never meets it in the other.
TEST(TwoQueuesTest, AnEntryIsNotMovedWhileACallLooksForIt) {
  Bench bench(Family::kDeviceQueue);
  int moved = 0, kept = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Program program = ProgramOf(R"(target device-queue
    queue queues=two
    fiber 0
      queue-insert 0
      queue-insert 1
      queue-remove
      queue-insert 1 other-queue
    fiber 1
      queue-remove-entry 2
      queue-remove-entry 1
    schedule random)");
    program.schedule.seed = static_cast<uint32_t>(seed);
    program.schedules = 1;
    const Verdict& verdict = bench.Run(program);
    ASSERT_TRUE(verdict.ok()) << VerdictLine(verdict);
    bool in_other = false;
    const History& history = bench.runner().history();
    for (int i = 0; i < history.call_count; ++i) {
      in_other |= history.calls[i].operation.op == Op::kQueueInsert &&
                  QueueOf(history.calls[i].operation) == 1;
    }
    ++(in_other ? moved : kept);
  }
  EXPECT_GT(moved, 0);
  EXPECT_GT(kept, 0);
}

}  // namespace
}  // namespace cancelsafe
