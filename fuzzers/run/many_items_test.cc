// Programs with up to 64 items: they fit into a history, are carried out whole, and are judged.
#include "absl/strings/str_cat.h"
#include "base/affordable.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr int kLarge = Affordable(200) / 4;

TEST(ManyItemsTest, AQueueIsFilledAndEmptied) {
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

TEST(ManyItemsTest, TheLongestProgramWithManyItemsFitsIntoAHistory) {
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
TEST(ManyItemsTest, ManyItemsEndWhereNothingRemovesTheNext) {
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

TEST(ManyItemsTest, StartIoMayNestForEachOfManyPackets) {
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

}  // namespace
}  // namespace cancelsafe
