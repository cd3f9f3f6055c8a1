// TSan sees through the scheduler: it reports a race between fibers although they
// share a thread, stays silent where locks order them, and gives the same answer for
// the same schedule every time. Built in the thread flavour only.
#include <gtest/gtest.h>

#include <memory>

#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/portfolio.h"
#include "fuzzers/schedule/race_toy.h"

namespace {
int g_reports = 0;
}

namespace __tsan {
class ReportDesc;
// Overrides the runtime's weak hook: counts in process and swallows the print.
bool OnReport(const ReportDesc* report, bool suppressed);
bool OnReport(const ReportDesc*, bool) {
  ++g_reports;
  return true;
}
}  // namespace __tsan

extern "C" {
void RaceToyPoint(int kind, const volatile void* object) {
  cancelsafe::schedule::Executor::Get().Point(static_cast<uint8_t>(kind), object, 0);
}
void RaceToyBlock(const volatile void* object) {
  cancelsafe::schedule::Executor::Get().Block(object, 0);
}
void RaceToyWake(const volatile void* object) {
  cancelsafe::schedule::Executor::Get().Wake(object);
}
void RaceToyStop(void) { cancelsafe::schedule::Executor::Get().Stop(); }
}

namespace cancelsafe::schedule {
namespace {

struct Outcome {
  RunResult result;
  int reports;
  int counter;
};

struct Subject {
  RaceToy* toy;
  RaceToyFlaw flaw;
};

Outcome RunToy(RaceToyFlaw flaw, const Schedule& schedule, const RunOptions& options = {}) {
  // Anew for each run: TSan forgets a block's history when it is allocated.
  const auto toy = std::make_unique<RaceToy>();
  Subject subject = {toy.get(), flaw};
  Outcome outcome;
  g_reports = 0;
  Executor::Get().Run(
      3,
      [](void* context, int fiber) {
        const auto* of = static_cast<const Subject*>(context);
        RaceToyBody(of->toy, of->flaw, fiber);
      },
      &subject, schedule, options, &outcome.result);
  outcome.counter = toy->counter;
  outcome.reports = g_reports;
  return outcome;
}

Schedule Nth(uint32_t n) {
  Schedule schedule;
  schedule.kind = static_cast<Kind>(n % kKindCount);
  schedule.parameter = static_cast<uint8_t>(n);
  schedule.seed = n;
  return schedule;
}

TEST(RaceTest, LocksOrderFibersUnderEverySchedule) {
  for (uint32_t n = 0; n < 4000; ++n) {
    const Outcome outcome = RunToy(kRaceToyCorrect, Nth(n));
    ASSERT_EQ(outcome.result.status, RunStatus::kDone);
    ASSERT_EQ(outcome.reports, 0) << "schedule " << n;
    ASSERT_EQ(outcome.counter, 9);
  }
}

TEST(RaceTest, AnAbandonedRunRacesNeitherWithItsCallerNorWithTheNextRun) {
  for (uint32_t n = 0; n < 400; ++n) {
    const Outcome stopped = RunToy(kRaceToyAbandonsTheLock, Nth(n));
    ASSERT_EQ(stopped.result.status, RunStatus::kStopped);
    ASSERT_EQ(stopped.reports, 0) << "schedule " << n;
    ASSERT_EQ(RunToy(kRaceToyCorrect, Nth(n)).reports, 0) << "schedule " << n;
    ASSERT_EQ(g_reports, 0) << "releasing the memory is not a race either";
  }
}

class FlawTest : public testing::TestWithParam<RaceToyFlaw> {};

TEST_P(FlawTest, IsReportedUnderMostSchedules) {
  int caught = 0;
  for (uint32_t n = 0; n < 800; ++n) caught += RunToy(GetParam(), Nth(n)).reports > 0;
  EXPECT_GT(caught, 500);
}

TEST_P(FlawTest, TheSameScheduleGivesTheSameAnswerAThousandTimes) {
  RunOptions options;
  options.fresh_records = true;
  for (uint32_t n = 0; n < 3; ++n) {
    const Outcome first = RunToy(GetParam(), Nth(n), options);
    EXPECT_GT(first.reports, 0);
    for (uint32_t i = 0; i < 1000; ++i) {
      // What ran before must not matter: sometimes another schedule, on old records.
      if (i % 10 == 0) RunToy(GetParam(), Nth(i));
      const Outcome again = RunToy(GetParam(), Nth(n), options);
      ASSERT_EQ(again.reports, first.reports) << "schedule " << n << ", run " << i;
      ASSERT_EQ(again.result.digest, first.result.digest);
      ASSERT_EQ(again.counter, first.counter);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FlawTest,
                         testing::Values(kRaceToyUnlockedRead, kRaceToyRelaxedRelease),
                         [](const testing::TestParamInfo<RaceToyFlaw>& info) {
                           return info.param == kRaceToyUnlockedRead ? "UnlockedRead"
                                                                     : "RelaxedRelease";
                         });

}  // namespace
}  // namespace cancelsafe::schedule
