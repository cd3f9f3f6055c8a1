// What the course of a run depends on and what it does not: where fibers may be switched,
// what --ignore leaves alone, how long a fiber may wait for another, and which operations
// are left out for what reason.
#include "absl/strings/str_cat.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/run/run_testing.h"
#include "impl/include/csq.h"

namespace cancelsafe {
namespace {

// ---- between two calls ----

// Whether a call of another fiber lies between two calls of one that follow each other.
bool HasCallBetweenCalls(const History& history) {
  for (int a = 0; a < history.call_count; ++a) {
    const Call& first = history.calls[a];
    for (int b = a + 1; b < history.call_count; ++b) {
      const Call& between = history.calls[b];
      if (between.fiber == first.fiber) break;
      if (between.begin < first.end) continue;
      for (int c = b + 1; c < history.call_count; ++c) {
        const Call& second = history.calls[c];
        if (second.fiber == first.fiber && second.begin > between.end) return true;
        if (second.fiber == first.fiber) break;
      }
    }
  }
  return false;
}

TEST(CourseTest, AFiberMayBeSwitchedBetweenTwoCalls) {
  Bench bench(Family::kCsq);
  int seen = 0;
  for (int seed = 0; seed < 100; ++seed) {
    EXPECT_TRUE(bench
                    .Run(absl::StrCat("target csq\nfiber 0\n  insert 0\n  insert 1\n"
                                      "fiber 1\n  insert 2\nschedule sticky seed=",
                                      seed, " parameter=64\n"))
                    .ok());
    seen += HasCallBetweenCalls(bench.runner().history());
  }
  EXPECT_GT(seen, 0);
}

// ---- waiting for another fiber ----

LONG inserted = 0;

void CountingInsert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  BuiltInImplementation().IoCsqInsertIrp(csq, irp, context);
  InterlockedExchange(&inserted, 1);
}
// Right, if slow: it waits until something was inserted.
PIRP WaitingRemoveNext(PIO_CSQ csq, PVOID context) {
  while (InterlockedCompareExchange(&inserted, 0, 0) == 0) {
  }
  return BuiltInImplementation().IoCsqRemoveNextIrp(csq, context);
}
PIRP YieldingRemoveNext(PIO_CSQ csq, PVOID context) {
  while (InterlockedCompareExchange(&inserted, 0, 0) == 0) YieldProcessor();
  return BuiltInImplementation().IoCsqRemoveNextIrp(csq, context);
}
PIRP StallingRemoveNext(PIO_CSQ csq, PVOID context) {
  while (InterlockedCompareExchange(&inserted, 0, 0) == 0) KeStallExecutionProcessor(10);
  return BuiltInImplementation().IoCsqRemoveNextIrp(csq, context);
}

constexpr char kWaits[] = "target csq\nfiber 0\n  remove-next\nfiber 1\n  insert 0\n";

int PointsOfWaiting(PIRP (*remove_next)(PIO_CSQ, PVOID), const char* schedule) {
  Implementation implementation = BuiltInImplementation();
  implementation.IoCsqInsertIrp = &CountingInsert;
  implementation.IoCsqRemoveNextIrp = remove_next;
  Bench bench(Family::kCsq, implementation);
  inserted = 0;
  const Verdict& verdict = bench.Run(absl::StrCat(kWaits, schedule));
  EXPECT_TRUE(verdict.ok()) << schedule << ": " << VerdictLine(verdict);
  return bench.runner().output().schedule.points;
}

TEST(CourseTest, WaitingForAnotherFiberIsNotALivelockUnderAnySchedule) {
  for (const char* schedule :
       {"", "schedule sticky seed=1\n", "schedule pct seed=3\n", "schedule starve seed=2\n"}) {
    PointsOfWaiting(&WaitingRemoveNext, schedule);
    EXPECT_LT(PointsOfWaiting(&YieldingRemoveNext, schedule), 1000) << schedule;
    EXPECT_LT(PointsOfWaiting(&StallingRemoveNext, schedule), 1000) << schedule;
  }
}

// ---- what --ignore leaves alone ----

PIRP RemoveNextOfNothing(PIO_CSQ csq, PVOID context) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  PIRP irp = csq->CsqPeekNextIrp(csq, nullptr, context);
  csq->CsqReleaseLock(csq, irql);
  static IRP nothing;
  if (irp != nullptr) csq->CsqCompleteCanceledIrp(csq, &nothing);
  return nullptr;
}

TEST(CourseTest, ARunThatStoppedAtWhatIsIgnoredIsUnknown) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqRemoveNextIrp = &RemoveNextOfNothing;
  constexpr char kProgram[] = "target csq\nfiber 0\n  insert 0\n  remove-next\n  insert 1\n";
  // One rule after the other is left out, until none is left that says what was wrong.
  RunnerOptions options;
  Verdict verdict;
  for (int i = 0; i < 10; ++i) {
    Bench bench(Family::kCsq, broken, options);
    verdict = bench.Run(kProgram);
    if (verdict.kind != VerdictKind::kRule) break;
    ASSERT_TRUE(options.ignore.Add(verdict.rule)) << verdict.rule;
  }
  EXPECT_FALSE(options.ignore.empty());
  EXPECT_EQ(verdict.kind, VerdictKind::kUnknown) << VerdictLine(verdict);
}

TEST(CourseTest, ADeadlockThatIsIgnoredIsUnknown) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqRemoveNextIrp = [](PIO_CSQ csq, PVOID) -> PIRP {
    KIRQL irql = 0;
    csq->CsqAcquireLock(csq, &irql);
    return nullptr;
  };
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("deadlock"));
  Bench ignoring(Family::kCsq, broken, options);
  const Verdict& rest =
      ignoring.Run("target csq\nfiber 0\n  remove-next\nfiber 1\n  remove-next\n");
  EXPECT_EQ(rest.kind, VerdictKind::kUnknown) << VerdictLine(rest);
}

// ---- what is left out ----

TEST(CourseTest, OperationsThatAreLeftOutAreCountedByReason) {
  Bench bench(Family::kCsq);
  EXPECT_TRUE(bench.Run("target csq\nfiber 0\n  remove 0\n  insert 0\n  insert 0\n").ok());
  const RunOutput& output = bench.runner().output();
  EXPECT_EQ(output.skipped[static_cast<int>(Skip::kNot)], 1);
  EXPECT_EQ(output.skipped[static_cast<int>(Skip::kContextInUse)], 1);
  EXPECT_EQ(output.skipped[static_cast<int>(Skip::kItemInUse)], 1);
  EXPECT_EQ(output.skipped_operations, 2);
}

TEST(CourseTest, ARemovalThatAsksWhetherTheQueueIsBusyMayRaceWithAnyOfItsKind) {
  Bench bench(Family::kDeviceQueue);
  for (int seed = 0; seed < 300; ++seed) {
    const Verdict& verdict = bench.Run(absl::StrCat(
        "target device-queue\nfiber 0\n  queue-insert 0\n  queue-remove-by-key-if-busy\n"
        "  queue-insert 1\nfiber 1\n  queue-remove-by-key-if-busy\n  queue-insert 2\n"
        "fiber 2\n  queue-remove-by-key-if-busy\nschedule random seed=",
        seed, "\n"));
    EXPECT_TRUE(verdict.ok()) << seed << ": " << VerdictLine(verdict);
    EXPECT_EQ(bench.runner().output().skipped_operations, 0) << seed;
  }
}

// ---- what schedulers that plan ahead are told ----

class ExpectedPointsTest : public testing::TestWithParam<bool> {};

TEST_P(ExpectedPointsTest, AreAboutThoseThatAFiberPasses) {
  RunnerOptions options;
  options.access_points = GetParam();
  Implementation implementation = BuiltInImplementation();
  std::string error;
  if (options.access_points) {
    ASSERT_TRUE(LoadBuiltInWithAccessPoints(&implementation, &error)) << error;
  }
  for (int f = 0; f < kFamilyCount; ++f) {
    const Family family = static_cast<Family>(f);
    Bench bench(family, implementation, options);
    int64_t passed = 0, operations = 0, expected = 0, fibers = 0, surprised = 0;
    for (uint64_t seed = 0; seed < 1000; ++seed) {
      Program program;
      GenerateProgram(family, seed, &program);
      // The more items there are, the longer the walks of a queue through them.
      if (program.fibers == 1 || program.setup.many_items) continue;
      const Verdict& verdict = bench.Run(program);
      EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict) << "\n" << PrintProgram(program);
      int own[kMaxFibers] = {};
      for (int i = 0; i < program.operation_count; ++i) ++own[program.fiber_of[i]];
      for (int fiber = 0; fiber < program.fibers; ++fiber) {
        const int points = bench.runner().output().schedule.points_of[fiber];
        const int estimate = EstimatePoints(family, own[fiber], options.access_points);
        passed += points;
        operations += own[fiber];
        expected += estimate;
        ++fibers;
        surprised += points > 2 * estimate;
      }
    }
    const double ratio = static_cast<double>(expected) / static_cast<double>(passed);
    // Within half as much again: how many accesses a call makes is up to the implementation.
    EXPECT_GT(ratio, 0.67) << FamilyName(family);
    EXPECT_LT(ratio, 1.5) << FamilyName(family) << ": " << passed << " points, " << operations
                          << " operations, " << fibers << " fibers";
    // A fiber of the StartIo layer may do all that the others have queued.
    EXPECT_LT(surprised * 5, fibers) << FamilyName(family) << ": more than twice as many";
  }
}

// How many accesses a call makes depends on what a sanitizer does to the code; the
// estimates are of the build without one.
#if defined(CANCELSAFE_SANITIZER_NONE)
INSTANTIATE_TEST_SUITE_P(Course, ExpectedPointsTest, testing::Bool());
#else
INSTANTIATE_TEST_SUITE_P(Course, ExpectedPointsTest, testing::Values(false));
#endif

}  // namespace
}  // namespace cancelsafe
