// What the harness does for the fibers must not put them in order: a race of the guest is
// found although one fiber ran to its end before the other, whatever was made for them
// meanwhile. Only under TSan is there something to see.
#include "absl/strings/str_cat.h"
#include "fuzzers/run/run_testing.h"
#include "fuzzers/run/testdata/racy_guest.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe {
namespace {

VerdictKind VerdictOf(const std::string& program, const RunnerOptions& options = {}) {
  Implementation guest = BuiltInImplementation();
  guest.IoCsqRemoveNextIrp = &RacyRemoveNext;
  Bench bench(Family::kCsq, guest, options);
  return bench.Run(program).kind;
}

TEST(HarnessOrderTest, MemoryForManyIrpsOrdersNothing) {
  std::string program = "target csq\nfiber 0\n  remove-next\n";
  for (int i = 0; i < 20; ++i) absl::StrAppend(&program, "  complete ", i % 4, "\n");
  absl::StrAppend(&program, "fiber 1\n  complete 4\n  remove-next\n");
  EXPECT_EQ(VerdictOf(program), VerdictKind::kDataRace);
}

TEST(HarnessOrderTest, AnIgnoredRaceHidesNoLostItem) {
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("data-race"));
  EXPECT_EQ(VerdictOf("target csq\nfiber 0\n  remove-next\n  insert 0\nfiber 1\n  remove-next\n",
                      options),
            VerdictKind::kLostItem);
}

TEST(HarnessOrderTest, ARaceThatIsIgnoredByItsPlaceHidesNoLostItem) {
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("data-race+RacyRemoveNext"));
  EXPECT_EQ(VerdictOf("target csq\nfiber 0\n  remove-next\n  insert 0\nfiber 1\n  remove-next\n",
                      options),
            VerdictKind::kLostItem);
  RunnerOptions another;
  ASSERT_TRUE(another.ignore.Add("data-race+AnotherFunction"));
  EXPECT_EQ(VerdictOf("target csq\nfiber 0\n  remove-next\nfiber 1\n  remove-next\n", another),
            VerdictKind::kDataRace);
}

TEST(HarnessOrderTest, WhereASchedulerMakesTheRunsOneWithAnIgnoredRaceIsNoPass) {
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("data-race+RacyRemoveNext"));
  Implementation guest = BuiltInImplementation();
  guest.IoCsqRemoveNextIrp = &RacyRemoveNext;
  Bench bench(Family::kCsq, guest, options);
  const Program program =
      ProgramOf("target csq\nfiber 0\n  remove-next\n  insert 0\nfiber 1\n  remove-next\n");
  schedule::Scheduler* const scheduler = schedule::SchedulerOf(schedule::Kind::kRandom);
  bench.runner().RunWith(scheduler, program, {});
  EXPECT_EQ(bench.runner().output().verdict.kind, VerdictKind::kUnknown)
      << VerdictLine(bench.runner().output().verdict);
  bench.runner().RunWith(scheduler, program, {});
  EXPECT_EQ(bench.runner().output().verdict.kind, VerdictKind::kLostItem)
      << VerdictLine(bench.runner().output().verdict);
}

}  // namespace
}  // namespace cancelsafe
