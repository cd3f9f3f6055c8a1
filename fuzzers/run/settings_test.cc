// Every setting of a queue and of its driver, alone and together with others: a right
// implementation passes under all of them, whatever its driver does.
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/affordable.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"
#include "impl/kernel/list_max.h"
#include "oracle/family.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

constexpr int kPrograms = Affordable(200);

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

TEST(SettingsEffect, AFilledIrpGoesThroughAQueueWithThreeLocations) {
  for (const char* program : {R"(target csq
    driver irp-state=filled
    fiber 0
      insert 0 context
      remove 0
      insert 0
      cancel 0)",
                              R"(target start-io
    driver irp-state=filled
    fiber 0
      start-packet 0 cancelable
      start-packet 1 cancelable
      cancel 1
      start-next)",
                              R"(target callback-data-queue
    driver irp-state=filled
    fiber 0
      insert-ex 0
      remove-next)"}) {
    Bench bench(ProgramOf(program).setup.family);
    const Verdict& verdict = bench.Run(program);
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict) << "\n" << program;
    EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  }
}

TEST(SettingsEffect, AStartIoThatDefersFromInsideIsNotNested) {
  Bench bench(Family::kStartIo);
  const Verdict& verdict = bench.Run(R"(target start-io
    driver start-io=finish-odd start-io-sets=deferred
    fiber 0
      start-packet 0
      start-packet 1
      start-packet 3
      start-next)");
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  const History& history = bench.runner().history();
  // The first StartIo sets the attribute, as a call of its own.
  int settings = 0, starts = 0;
  for (int i = 0; i < history.call_count; ++i) {
    settings += history.calls[i].operation.op == Op::kSetAttributes;
  }
  for (int i = 0; i < history.event_count; ++i) {
    starts += history.events[i].kind == CallbackKind::kStartIo;
  }
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(settings, 1);
}

TEST(SettingsEffect, AStartIoMayStartAndCancelOtherPackets) {
  const std::string program = R"(
    fiber 0
      start-packet 0 cancelable
      start-packet 2 cancelable
      start-next cancelable
      start-next cancelable)";
  const auto call_of = [](const History& history, Op op, uint8_t item) -> const Call* {
    for (int i = 0; i < history.call_count; ++i) {
      const Call& call = history.calls[i];
      if (call.parent != kNoCall && call.operation.op == op && call.operation.item == item) {
        return &call;
      }
    }
    return nullptr;
  };
  Bench bench(Family::kStartIo);
  const Verdict& started =
      bench.Run("target start-io\n driver start-io-calls=start-packet start-io-item=5" + program);
  EXPECT_TRUE(started.ok()) << VerdictLine(started);
  EXPECT_NE(call_of(bench.runner().history(), Op::kStartPacket, 5), nullptr);
  // The StartIo of packet 0 comes too early, that of packet 2 cancels what is queued.
  const Verdict& cancelled = bench.Run(
      "target start-io\n driver start-io-calls=cancel start-io-item=3\n fiber 0\n"
      " start-packet 0\n start-packet 2\n start-packet 3 cancelable\n start-next cancelable");
  EXPECT_TRUE(cancelled.ok()) << VerdictLine(cancelled);
  const Call* const last = call_of(bench.runner().history(), Op::kCancel, 3);
  ASSERT_NE(last, nullptr);
  int took_effect = 0;
  for (int i = 0; i < bench.runner().history().call_count; ++i) {
    const Call& call = bench.runner().history().calls[i];
    took_effect += call.operation.op == Op::kCancel && call.outcome.value == 1;
  }
  EXPECT_EQ(took_effect, 1);
  // The present packet, by itself.
  const Verdict& itself =
      bench.Run("target start-io\n driver start-io-calls=cancel start-io-item=2" + program);
  EXPECT_TRUE(itself.ok()) << VerdictLine(itself);
}

TEST(SettingsEffect, AnOperationWithoutAnIrpIsRefusedBeforeAnyCallback) {
  const std::string program = R"(target callback-data-queue
    driver operations=mixed
    fiber 0
      insert-ex 0
      insert-ex 1 context
      cancel 1
      remove-next)";
  Bench bench(Family::kCallbackDataQueue);
  const Verdict& verdict = bench.Run(program);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  const History& history = bench.runner().history();
  EXPECT_EQ(history.calls[1].outcome.value, kStatusInvalidParameter);
  EXPECT_EQ(bench.runner().output().skipped[static_cast<int>(Skip::kNoIrp)], 1);
  for (int i = 0; i < history.event_count; ++i) EXPECT_NE(history.events[i].call, 1);
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

}  // namespace
}  // namespace cancelsafe
