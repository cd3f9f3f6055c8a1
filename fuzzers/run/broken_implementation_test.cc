// One known bug for every kind of verdict: the reference implementation with a patch of
// fuzzers/mutants/reference, loaded as any other implementation is.
#include "absl/strings/str_cat.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/run_testing.h"

namespace cancelsafe {
namespace {

// The reference with the patch of this name.
Implementation Spoilt(const char* patch) {
  Implementation table;
  std::string error;
  EXPECT_TRUE(LoadImplementation(absl::StrCat(CANCELSAFE_SPOILT_DIR, "/spoilt_", patch, ".so"),
                                 &table, &error))
      << error;
  return table;
}

constexpr char kInsertRemoveNext[] = "target csq\nfiber 0\n  insert 0\n  remove-next\n";
constexpr char kRemoveNext[] = "target csq\nfiber 0\n  remove-next\n";

TEST(BrokenImplementation, WrongResultIsNotLinearizable) {
  Bench bench(Family::kCsq, Spoilt("insert_status_lost"));
  const Verdict& verdict =
      bench.Run("target csq\nqueue ex status=pending\nfiber 0\n  insert-ex 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kNotLinearizable) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-INSEX-02");
}

TEST(BrokenImplementation, RightResultWithWrongCallbacksIsACallbackOrder) {
  Bench bench(Family::kCsq, Spoilt("next_peeks_twice"));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kCallbackOrder) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-NEXT-08");
}

TEST(BrokenImplementation, ItemThatIsNeverHandedOutIsLost) {
  Bench bench(Family::kCsq, Spoilt("next_loses"));
  const Verdict& verdict = bench.Run(kInsertRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kLostItem) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-INV-01");
}

TEST(BrokenImplementation, ItemHandedOutTwiceEndsTwice) {
  Bench bench(Family::kCsq, Spoilt("next_shares"));
  const Verdict& verdict = bench.Run(kInsertRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kDoubleEnding) << VerdictLine(verdict);
}

TEST(BrokenImplementation, MissingPendingMarkBreaksARule) {
  Bench bench(Family::kCsq, Spoilt("insert_unmarked"));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kRule) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "pending-missing");
}

TEST(BrokenImplementation, LockReleasedTwiceIsAKernelViolation) {
  Bench bench(Family::kCsq, Spoilt("next_releases_twice"));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kKernelViolation) << VerdictLine(verdict);
}

TEST(BrokenImplementation, LockThatIsNeverReleasedIsADeadlock) {
  Bench bench(Family::kCsq, Spoilt("next_keeps_lock"));
  const Verdict& verdict =
      bench.Run("target csq\nfiber 0\n  remove-next\nfiber 1\n  remove-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << VerdictLine(verdict);
  EXPECT_NE(verdict.reason.find("fiber 1"), std::string::npos);
  // The next run begins with free locks, and its drain keeps one again.
  EXPECT_EQ(bench.Run("target csq\nfiber 0\n  cancel 0\nfiber 1\n  cancel 1\n").rule,
            "lock-pairing");
}

TEST(BrokenImplementation, EndlessLoopIsALivelock) {
  Bench bench(Family::kCsq, Spoilt("next_spins"));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kLivelock) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "step-budget");
}

TEST(BrokenImplementation, LocksTakenInBothOrdersAreFoundWithoutADeadlock) {
  Bench bench(Family::kCsq, Spoilt("locks_in_both_orders"));
  EXPECT_TRUE(bench.Run(kInsertRemoveNext).ok()) << "on one fiber they are harmless";
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\nfiber 1\n  remove-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kLockOrder) << VerdictLine(verdict);
}

TEST(BrokenImplementation, WriteAfterCompletionIsFoundInTheRetiredIrp) {
  // The flag outlives the IRP only as long as its memory is not yet retired; the
  // poison that follows is not zero, so the write happens.
  Bench bench(Family::kCsq, Spoilt("insert_writes_late"));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  cancel 0\n  insert 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kMemoryError) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "retired-write");
  EXPECT_NE(verdict.reason.find("item 0"), std::string::npos);
}

TEST(BrokenImplementation, PeekWithoutTheLockIsARaceOrBreaksARule) {
  Bench bench(Family::kCsq, Spoilt("next_peeks_unlocked"));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\nfiber 1\n  remove-next\n");
#ifdef CANCELSAFE_SANITIZER_THREAD
  EXPECT_EQ(verdict.kind, VerdictKind::kDataRace) << VerdictLine(verdict);
#else
  EXPECT_EQ(verdict.kind, VerdictKind::kRule) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "lock-held");
#endif
}

TEST(BrokenImplementation, DeviceQueueThatKeepsAnEntryIsFound) {
  Bench bench(Family::kDeviceQueue, CanaryImplementation());
  constexpr char kProgram[] =
      "target device-queue\nfiber 0\n  queue-insert 0\n  queue-insert 1\n"
      "  queue-remove-by-key key=";
  EXPECT_TRUE(bench.Run(std::string(kProgram) + "7\n").ok());
  EXPECT_EQ(bench.Run(std::string(kProgram) + "0xffffffff\n").kind, VerdictKind::kLostItem);
}

TEST(BrokenImplementation, StartIoThatForgetsTheNextPacketIsFound) {
  Bench bench(Family::kStartIo, Spoilt("next_packet_forgotten"));
  const Verdict& verdict =
      bench.Run("target start-io\nfiber 0\n  start-packet 0\n  start-packet 1\n  start-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kLostItem) << VerdictLine(verdict);
}

TEST(BrokenImplementation, CallbackDataQueueThatIsNeverDisabledIsFound) {
  Bench bench(Family::kCallbackDataQueue, Spoilt("disable_does_nothing"));
  const Verdict& verdict =
      bench.Run("target callback-data-queue\nfiber 0\n  disable\n  insert-ex 0\n");
  EXPECT_FALSE(verdict.ok());
}

// What a driver reads in its queue and entries, long after it was written there.
TEST(BrokenImplementation, FieldsThatDoNotStayAreFound) {
  const struct {
    Family family;
    const char* patch;
    const char* program;
    const char* clause;
  } kCases[] = {
      {Family::kCallbackDataQueue, "enable_clears_instance",
       "target callback-data-queue\nfiber 0\n  enable\n", "CBDQ-INIT-04"},
      {Family::kCsq, "next_clears_completion", "target csq\nfiber 0\n  insert 0\n", "CSQ-INIT-04"},
      {Family::kDeviceQueue, "removed_key_cleared",
       "target device-queue\nfiber 0\n  queue-insert 0\n  queue-insert-by-key 1 key=5\n",
       "DQ-BYKEY-13"},
  };
  for (const auto& test : kCases) {
    Bench bench(test.family, Spoilt(test.patch));
    const Verdict& verdict = bench.Run(test.program);
    EXPECT_EQ(verdict.rule, "field-kept") << VerdictLine(verdict);
    EXPECT_EQ(verdict.clause, test.clause);
    Bench built_in(test.family);
    EXPECT_TRUE(built_in.Run(test.program).ok());
  }
}

TEST(BrokenImplementation, NothingOfAFailureIsLeftInTheNextRun) {
  constexpr char kPassing[] = "target csq\nfiber 0\n  cancel 0\nfiber 1\n  hold-cancel-lock\n";
  Bench fresh(Family::kCsq, Spoilt("insert_unmarked"));
  Bench used(Family::kCsq, Spoilt("insert_unmarked"));
  EXPECT_FALSE(used.Run("target csq\nfiber 0\n  insert 0\n").ok());
  EXPECT_TRUE(used.Run(kPassing).ok());
  EXPECT_EQ(VerdictLine(used.runner().output().verdict), "VERDICT pass");
  EXPECT_TRUE(fresh.Run(kPassing).ok());
  EXPECT_EQ(used.runner().Digest(), fresh.runner().Digest());
}

TEST(Ignore, ARuleThatIsLeftOutIsNotReported) {
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("lock-order"));
  ASSERT_TRUE(options.ignore.Add("pending-missing"));
  Bench lock_order(Family::kCsq, Spoilt("locks_in_both_orders"), options);
  const Verdict& verdict = lock_order.Run(kInsertRemoveNext);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  Bench unmarked(Family::kCsq, Spoilt("insert_unmarked"), options);
  // What else is wrong with it still counts.
  EXPECT_EQ(unmarked.Run("target csq\nfiber 0\n  insert 0\n").rule, "routine-missing");
}

TEST(Ignore, TakesTheRulesOfEveryRoomAndNothingElse) {
  IgnoreSet ignore;
  for (const char* name : {"lost-item", "retired-write", "double-completion", "data-race",
                           "deadlock", "CSQ-NEXT-01", "step-budget"}) {
    EXPECT_TRUE(ignore.Add(name)) << name;
  }
  for (const char* name : {"", "no-such-rule", "csq-next-01"}) {
    EXPECT_FALSE(ignore.Add(name)) << name;
  }
}

}  // namespace
}  // namespace cancelsafe
