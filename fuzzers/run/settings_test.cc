// Every setting of a queue and of its driver, alone and together with others: a right
// implementation passes under all of them, whatever its driver does.
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"
#include "impl/kernel/list_max.h"
#include "oracle/family.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

#if defined(CANCELSAFE_SANITIZER_ADDRESS) || defined(CANCELSAFE_SANITIZER_THREAD)
constexpr int kPrograms = 40;
#else
constexpr int kPrograms = 200;
#endif

class SettingsTest : public testing::TestWithParam<int> {
 protected:
  Family family() const { return FamilyNumber(GetParam()); }
};

TEST_P(SettingsTest, EveryValueOfEverySettingPassesOnARightImplementation) {
  Bench bench(family());
  uint64_t seed = 0;
  for (const SetupField& field : AllSetupFields()) {
    if (!field.IsOf(family())) continue;
    for (int value = 1; value <= field.max; ++value) {
      for (int i = 0; i < kPrograms / field.max; ++i) {
        Program program;
        GenerateProgram(family(), seed++, &program);
        field.Set(&program.setup, value);
        Normalize(&program);
        const Verdict& verdict = bench.Run(program);
        ASSERT_TRUE(verdict.ok()) << VerdictLine(verdict) << "\n" << PrintProgram(program);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, SettingsTest, testing::Range(0, kFamilyCount),
                         [](const testing::TestParamInfo<int>& info) {
                           return std::string(FamilyFileName(FamilyNumber(info.param)));
                         });

// The driver under these settings is not the plain one: what it does can be seen.
TEST(SettingsEffect, InformationalAndWarningStatusesAreWhatTheInsertReturns) {
  Bench bench(Family::kCsq);
  EXPECT_TRUE(bench
                  .Run(R"(target csq
    queue ex status=informational
    driver failing-insert=2 failure=warning
    fiber 0
      insert-ex 0
      insert-ex 1
      remove-next
      remove-next)")
                  .ok());
  const History& history = bench.runner().history();
  EXPECT_EQ(history.calls[0].outcome.value, kStatusObjectNameExists);
  EXPECT_EQ(history.calls[1].outcome.value, kStatusBufferOverflow);
  EXPECT_EQ(history.calls[2].outcome.value, 0);
  EXPECT_EQ(history.calls[3].outcome.value, kNothing);
}

TEST(SettingsEffect, AFreedContextIsNotUsedAgainForARemoval) {
  Bench bench(Family::kCsq);
  const std::string program = R"(
    fiber 0
      insert 0 context
      cancel 0
      remove 0
      insert 0 context
      remove 0)";
  EXPECT_TRUE(bench.Run("target csq" + program).ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  EXPECT_TRUE(bench.Run("target csq\ndriver contexts=freed" + program).ok());
  EXPECT_EQ(bench.runner().output().skipped_operations, 1);
}

TEST(SettingsEffect, TheInnerRequestOfStartIoHasTheKeyOfTheSetting) {
  Bench bench(Family::kStartIo);
  EXPECT_TRUE(bench
                  .Run(R"(target start-io
    driver start-io=finish-odd start-by-key start-key=5
    fiber 0
      start-packet 0
      start-packet-by-key 1 key=1
      start-packet-by-key 2 key=6
      start-packet-by-key 3 key=3
      start-next-by-key key=1)")
                  .ok());
  const History& history = bench.runner().history();
  bool found = false;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    if (call.parent == kNoCall || call.operation.op != Op::kStartNextByKey) continue;
    EXPECT_EQ(call.operation.key, 5u);
    EXPECT_EQ(call.outcome.value, 2);
    found = true;
    break;  // later ones empty the queue
  }
  EXPECT_TRUE(found);
}

TEST(SettingsEffect, AQueueWithManyItemsIsFilledAndEmptied) {
  Bench bench(Family::kDeviceQueue);
  std::string program = "target device-queue\nqueue items=many\nfiber 0\n";
  for (int item = 0; item < kMaxItems; ++item) {
    program += "queue-insert-by-key " + std::to_string(item) +
               " key=" + std::to_string(item * 37 % kMaxItems) + "\n";
  }
  for (int item = 0; item < kMaxItems; ++item) {
    program += "queue-remove-by-key key=" + std::to_string(item) + "\n";
  }
  const Verdict& verdict = bench.Run(program);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  EXPECT_FALSE(bench.runner().history().truncated);
}

TEST(SettingsEffect, TheLongestProgramWithManyItemsFitsIntoAHistory) {
  Bench bench(Family::kDeviceQueue);
  std::string program = "target device-queue\nqueue items=many\nfiber 0\n";
  for (int i = 0; i < kMaxOperations; ++i) {
    program += i < kMaxItems ? "queue-insert-by-key " + std::to_string(i) + " key=1\n"
                             : "queue-remove-entry " + std::to_string(i % kMaxItems) + "\n";
  }
  const Verdict& verdict = bench.Run(program);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  EXPECT_FALSE(bench.runner().history().truncated);
}

TEST(SettingsEffect, TheImplementationIsToldWhenToTurnToItsTree) {
  Bench bench(Family::kDeviceQueue);
  for (const int list_max : kListMaxes) {
    const Verdict& verdict =
        bench.Run("target device-queue\nqueue list-max=" + std::to_string(list_max) +
                  "\nfiber 0\nqueue-insert 0\n");
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
    EXPECT_EQ(CancelsafeDeviceQueueListMax(), list_max);
  }
  // What a text does not say, the run before does not decide.
  bench.Run("target device-queue\nfiber 0\nqueue-insert 0\n");
  EXPECT_EQ(CancelsafeDeviceQueueListMax(), kListMaxes[0]);
}

TEST(SettingsEffect, WithTwoQueuesAnIrpIsFoundInTheOneItWentInto) {
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
  const int32_t expected[] = {0, kNothing, 0, 0, kNothing, 0, 0, 1};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(history.calls[i].outcome.value, expected[i]) << i;
}

}  // namespace
}  // namespace cancelsafe
