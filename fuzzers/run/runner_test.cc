// Runs as a whole on an implementation that is right: every family passes, what a
// caller contract forbids is left out, and what ran can be run again.
#include "fuzzers/run/runner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"

namespace cancelsafe {
namespace {

int CallsOf(const History& history, Op op) {
  return static_cast<int>(
      std::count_if(history.calls, history.calls + history.call_count,
                    [op](const Call& call) { return call.operation.op == op; }));
}

TEST(Runner, ACsqProgramPassesAndIsDrained) {
  Bench bench(Family::kCsq);
  EXPECT_TRUE(bench
                  .Run(R"(target csq
    queue ex insert=sorted peek=by-key
    fiber 0
      insert-ex 0 context key=5
      insert-ex 1 key=3
      remove 0
      cancel 1
      insert-ex 2 key=9
  )")
                  .ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  // Item 2 comes out, then nothing does.
  EXPECT_EQ(CallsOf(bench.runner().history(), Op::kRemoveNext), 2);
}

TEST(Runner, ADeviceQueueProgramPassesAndIsDrained) {
  Bench bench(Family::kDeviceQueue);
  EXPECT_TRUE(bench
                  .Run(R"(target device-queue
    fiber 0
      queue-insert 0
      queue-insert-by-key 1 key=7
      queue-insert-by-key 2 key=3
      queue-remove-by-key key=5
      queue-remove-entry 2
  )")
                  .ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  EXPECT_EQ(CallsOf(bench.runner().history(), Op::kQueueRemove), 1);
}

TEST(Runner, AStartIoProgramPassesAndIsDrained) {
  Bench bench(Family::kStartIo);
  EXPECT_TRUE(bench
                  .Run(R"(target start-io
    fiber 0
      start-packet 0 cancelable
      start-packet 1 cancelable
      start-packet 2 cancelable
      cancel 1
      start-next
  )")
                  .ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  EXPECT_EQ(CallsOf(bench.runner().history(), Op::kStartNext), 2);
}

TEST(Runner, ACallbackDataQueueProgramPassesAndIsDrained) {
  Bench bench(Family::kCallbackDataQueue);
  EXPECT_TRUE(bench
                  .Run(R"(target callback-data-queue
    queue lock=mutex status=pending
    fiber 0
      insert-ex 0
      disable
      insert-ex 1
      cancel 0
      enable
      insert-ex 1
  )")
                  .ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  EXPECT_EQ(CallsOf(bench.runner().history(), Op::kRemoveNext), 2);
}

TEST(Runner, WhatACallerContractForbidsIsLeftOut) {
  Bench csq(Family::kCsq);
  EXPECT_TRUE(csq.Run(R"(target csq
    fiber 0
      remove 0
      insert 0
      insert 0
      complete 0
  )")
                  .ok());
  // A context that was never given, an IRP that is queued, one that the queue owns.
  EXPECT_EQ(csq.runner().output().skipped_operations, 3);

  Bench device_queue(Family::kDeviceQueue);
  EXPECT_TRUE(device_queue
                  .Run(R"(target device-queue
    fiber 0
      queue-remove
      queue-insert 0
      queue-insert 1
      queue-insert 1
  )")
                  .ok());
  EXPECT_EQ(device_queue.runner().output().skipped_operations, 2);

  Bench start_io(Family::kStartIo);
  EXPECT_TRUE(start_io
                  .Run(R"(target start-io
    fiber 0
      start-next
      start-packet 0
      start-packet 0
  )")
                  .ok());
  EXPECT_EQ(start_io.runner().output().skipped_operations, 2);
}

TEST(Runner, NamesTheRoutineThatAFamilyLacks) {
  Implementation implementation = BuiltInImplementation();
  implementation.IoCsqInsertIrp = nullptr;
  EXPECT_EQ(Bench(Family::kCsq, implementation).missing(), nullptr);
  implementation.IoCsqInsertIrpEx = nullptr;
  Bench bench(Family::kCsq, implementation);
  ASSERT_NE(bench.missing(), nullptr);
  EXPECT_STREQ(bench.missing(), "IoCsqInsertIrp or IoCsqInsertIrpEx");
  EXPECT_EQ(Bench(Family::kDeviceQueue, implementation).missing(), nullptr);
}

TEST(Runner, LeavesOutWhatAnImplementationNeedNotProvide) {
  Implementation implementation = BuiltInImplementation();
  implementation.KeRemoveByKeyDeviceQueueIfBusy = nullptr;
  implementation.KeRemoveEntryDeviceQueue = nullptr;
  Bench bench(Family::kDeviceQueue, implementation);
  ASSERT_EQ(bench.missing(), nullptr);
  EXPECT_EQ(bench.runner().absent_routines(),
            "KeRemoveByKeyDeviceQueueIfBusy, KeRemoveEntryDeviceQueue");
  EXPECT_TRUE(bench.runner().Run(ProgramOf(R"(target device-queue
    fiber 0
      queue-insert 1
      queue-insert 2
      queue-remove-entry 2
      queue-remove
  )")));
  EXPECT_EQ(bench.runner().output().skipped_operations, 1);
  EXPECT_EQ(bench.runner().history().call_count, 4) << "with the one of the drain";
}

// Each routine that a family can do without, left out alone: whatever is generated passes.
TEST(Runner, DoesWithoutEachRoutineThatIsNotProvided) {
  constexpr int kPrograms = 40;
  int left_out = 0;
  const auto run = [&](const Implementation& implementation, const char* name) {
    for (const Family family :
         {Family::kCsq, Family::kDeviceQueue, Family::kStartIo, Family::kCallbackDataQueue}) {
      Bench bench(family, implementation);
      if (bench.missing() != nullptr) continue;
      for (uint64_t seed = 0; seed < kPrograms; ++seed) {
        Program program;
        GenerateProgram(family, seed, &program);
        bench.runner().Run(program);
        const RunOutput& output = bench.runner().output();
        EXPECT_TRUE(output.verdict.ok())
            << "without " << name << ", seed " << seed << ": " << VerdictLine(output.verdict);
        left_out += output.skipped[static_cast<int>(Skip::kNotProvided)];
      }
    }
  };
#define CANCELSAFE_RUN_WITHOUT(type, name, parameters)    \
  {                                                       \
    Implementation without_one = BuiltInImplementation(); \
    without_one.name = nullptr;                           \
    run(without_one, #name);                              \
  }
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_RUN_WITHOUT)
#undef CANCELSAFE_RUN_WITHOUT
  EXPECT_GT(left_out, kPrograms);
}

TEST(Runner, WhatWasExecutedRunsAgainWithoutTheScheduler) {
  Bench bench(Family::kCsq);
  const Program program = ProgramOf(R"(target csq
    fiber 0
      insert 0
      remove-next
    fiber 1
      insert 1
      cancel 0
    fiber 2
      cancel 1
      remove-next
    schedule random seed=7
  )");
  EXPECT_TRUE(bench.Run(program).ok());
  const uint64_t digest = bench.runner().Digest();
  const Program executed = bench.runner().Executed(program);
  EXPECT_EQ(bench.runner().Digest(), digest);
  EXPECT_EQ(executed.schedule.kind, schedule::Kind::kChoices);
  EXPECT_GT(executed.schedule.choice_count, 0);
  EXPECT_TRUE(bench.Run(executed).ok());
  EXPECT_EQ(bench.runner().Digest(), digest);
}

// What is saved of a long run has to be that run: no list of choices is cut short.
TEST(Runner, WhatWasExecutedRunsAgainHoweverLongItWas) {
  Bench bench(Family::kCsq);
  std::string text = "target csq\n";
  for (int fiber = 0; fiber < kMaxFibers; ++fiber) {
    absl::StrAppend(&text, "fiber ", fiber, "\n");
    for (int i = 0; i < kMaxFewOperations / kMaxFibers / 2; ++i) {
      absl::StrAppend(&text, "insert ", (fiber * 2 + i) % kFewItems, "\nremove-next\n");
    }
  }
  int most_choices = 0;
  for (int seed = 0; seed < 40; ++seed) {
    const Program program = ProgramOf(absl::StrCat(text, "schedule random seed=", seed, "\n"));
    EXPECT_TRUE(bench.Run(program).ok());
    const uint64_t digest = bench.runner().Digest();
    const Program executed = bench.runner().Executed(program);
    most_choices = std::max(most_choices, executed.schedule.choice_count);
    EXPECT_TRUE(bench.Run(ProgramOf(PrintProgram(executed))).ok());
    EXPECT_EQ(bench.runner().Digest(), digest) << "seed " << seed;
  }
  EXPECT_GT(most_choices, 192) << "none of the runs was long";
}

TEST(Runner, CountsTheStatesOfAcceptedHistories) {
  Bench bench(Family::kCsq);
  uint8_t counters[256] = {};
  bench.runner().SetStateCoverage(counters, sizeof counters);
  EXPECT_TRUE(bench.Run("target csq\nfiber 0\n  insert 0\n  remove-next\n").ok());
  EXPECT_GE(std::count(counters, counters + sizeof counters, 1), 3);
  EXPECT_GE(bench.runner().checker().states_covered(), 3u);
}

TEST(ReadingTest, OthersMayChooseWhereTheDocumentsLeaveAChoiceUnlessItIsToBeStrict) {
  EXPECT_EQ(ReadingFor("", false), Reading::kOwn);
  EXPECT_EQ(ReadingFor("canary", false), Reading::kOwn);
  EXPECT_EQ(ReadingFor("libtheirs.so", false), Reading::kPortable);
  EXPECT_EQ(ReadingFor("libtheirs.so", true), Reading::kOwn);
}

}  // namespace
}  // namespace cancelsafe
