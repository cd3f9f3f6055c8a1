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

// What the first calls returned.
void ExpectOutcomes(const History& history, const std::vector<int32_t>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(history.calls[i].outcome.value, expected[i]) << i;
  }
}

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

// The families whose queues call their driver.
class ManyItems : public testing::TestWithParam<Family> {};

TEST_P(ManyItems, AllOfThemAreQueuedAndCancelledOrTakenOut) {
  const Family family = GetParam();
  const bool packets = family == Family::kStartIo;
  Bench bench(family);
  std::string program = std::string("target ") + FamilyName(family) + "\n" +
                        (packets ? "queue items=many\n" : "queue items=many insert=sorted\n") +
                        "fiber 0\n";
  for (int item = 0; item < kMaxItems; ++item) {
    const std::string number = std::to_string(item);
    const std::string key = std::to_string(item * 37 % kMaxItems);
    absl::StrAppend(&program, packets ? "start-packet-by-key " : "insert-ex ", number, " key=", key,
                    packets ? " cancelable\n" : " context\n");
  }
  for (int i = 0; i < kMaxCallbackOperations - kMaxItems; ++i) {
    const std::string number = std::to_string(kMaxItems - 1 - i);
    program += i % 2 == 0 ? "cancel " + number + "\n" : packets ? "start-next\n" : "remove-next\n";
  }
  const Verdict& verdict = bench.Run(program);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  EXPECT_EQ(bench.runner().output().skipped_operations, 0);
  const History& history = bench.runner().history();
  EXPECT_FALSE(history.truncated);
  int cancelled = 0;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    cancelled += call.operation.op == Op::kCancel && call.outcome.value == 1;
  }
  EXPECT_GE(cancelled, kMaxItems / 4);
}

// The judge knows items above the first few: what it says of a large program is about the
// right one.
TEST_P(ManyItems, GeneratedProgramsAreJudgedWithinTheirBudgets) {
  const Family family = GetParam();
  Bench bench(family);
  int unknown = 0;
  constexpr int kLarge = kPrograms / 4;
  int large = 0;
  for (uint64_t seed = 0; large < kLarge; ++seed) {
    Program program;
    GenerateProgram(family, seed, &program);
    if (!program.setup.many_items) continue;
    ++large;
    const Verdict& verdict = bench.Run(program);
    if (verdict.kind == VerdictKind::kUnknown) {
      ++unknown;
      continue;
    }
    ASSERT_TRUE(verdict.ok()) << VerdictLine(verdict) << "\n" << PrintProgram(program);
  }
  EXPECT_LE(unknown, kLarge / 20);
}

INSTANTIATE_TEST_SUITE_P(Families, ManyItems,
                         testing::Values(Family::kCsq, Family::kStartIo,
                                         Family::kCallbackDataQueue),
                         [](const testing::TestParamInfo<Family>& info) {
                           return std::string(FamilyFileName(info.param));
                         });

// Without a removal that takes any item, each of many that is still queued ends by its
// cancellation.
TEST(SettingsEffect, ManyItemsEndWhereNothingRemovesTheNext) {
  Implementation guest = BuiltInImplementation();
  guest.IoCsqRemoveNextIrp = nullptr;
  Bench bench(Family::kCsq, guest);
  const Verdict& verdict = bench.Run(R"(target csq
    queue items=many
    fiber 0
      insert 3
      insert 60)");
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
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

TEST(SettingsEffect, StartIoMayNestForEachOfManyPackets) {
  std::string program =
      "target start-io\nqueue items=many\ndriver start-io=finish-odd\nfiber 0\n start-packet 0\n";
  for (int item = 1; item < kMaxItems; item += 2) {
    program += " start-packet " + std::to_string(item) + "\n";
  }
  for (int item = 1; item < kMaxItems - 1; item += 2) {
    program += " start-packet " + std::to_string(item + 1) + " \n";
  }
  Bench bench(Family::kStartIo);
  const Verdict& verdict = bench.Run(program + " start-next\n");
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  EXPECT_FALSE(bench.runner().history().truncated);
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
  ExpectOutcomes(history, {0, kNothing, 0, 0, kNothing, 0, 0, 1});
}

TEST(SettingsEffect, OfTwoDeviceQueuesEachIsBusyByItselfAndAnEntryMovesBetweenThem) {
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

TEST(SettingsEffect, OfTwoStartIoDevicesEachHasItsOwnCurrentPacket) {
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
TEST(SettingsEffect, AnEntryIsNotMovedWhileACallLooksForIt) {
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
