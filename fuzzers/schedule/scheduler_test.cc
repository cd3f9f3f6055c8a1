// Each strategy keeps the contract of a scheduler, finds what it is made for, and
// draws with the frequencies its theory asks for. Seeds are fixed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "fuzzers/schedule/portfolio.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

void Point(const volatile void* object) { Executor::Get().Point(kToyTouch, object, 0); }

Schedule Of(Kind kind, uint8_t parameter, uint32_t seed) {
  Schedule schedule;
  schedule.kind = kind;
  schedule.parameter = parameter;
  schedule.seed = seed;
  return schedule;
}

// Runs a subject's body under schedules 0, 1, ... until it is `broken`; how many.
template <typename Subject>
int RunsUntilBroken(Kind kind, uint8_t parameter, int limit, const RunOptions& options = {}) {
  for (int n = 1; n <= limit; ++n) {
    Subject subject;
    RunResult result;
    Executor::Get().Run(
        Subject::kFibers,
        [](void* context, int fiber) { static_cast<Subject*>(context)->Body(fiber); }, &subject,
        Of(kind, parameter, static_cast<uint32_t>(n)), options, &result);
    if (subject.broken()) return n;
  }
  return limit + 1;
}

TEST(PortfolioTest, NamesGoBothWays) {
  for (int i = 0; i < kKindCount; ++i) {
    Kind kind;
    ASSERT_TRUE(KindOf(NameOf(static_cast<Kind>(i)), &kind));
    EXPECT_EQ(static_cast<int>(kind), i);
  }
  Kind kind = Kind::kPos;
  EXPECT_FALSE(KindOf("fair", &kind));
  EXPECT_EQ(kind, Kind::kPos);
}

class EveryScheduleTest : public testing::TestWithParam<int> {
 protected:
  Kind kind() const { return static_cast<Kind>(GetParam()); }
};

TEST_P(EveryScheduleTest, PicksOnlyEnabledFibers) {
  Scheduler* const scheduler = SchedulerOf(kind());
  Random rng(7);
  for (uint32_t n = 0; n < 500; ++n) {
    const int fibers = 2 + rng.Below(3);
    const uint16_t hint[kFiberCapacity] = {static_cast<uint16_t>(rng.Below(60)), 0, 1, 65535};
    scheduler->Start(Of(kind(), static_cast<uint8_t>(n), n), fibers, hint);
    PendingEvent pending[kFiberCapacity];
    int points[kFiberCapacity] = {};
    for (int step = 0; step < 100; ++step) {
      // Any state that the executor might offer, reachable or not.
      uint32_t enabled = 0;
      while (!((enabled & (enabled - 1)) != 0))
        enabled = static_cast<uint32_t>(rng.Below(1 << fibers));
      const int current = rng.Below(fibers + 1) - 1;
      const bool goes_on = current >= 0 && (enabled >> current & 1) != 0;
      for (int f = 0; f < fibers; ++f) {
        pending[f].object = static_cast<uint16_t>(rng.Below(4));
        points[f] += rng.Below(3);
      }
      const Decision decision = {step,    current,
                                 fibers,  static_cast<uint8_t>(enabled),
                                 pending, goes_on ? current : __builtin_ctz(enabled),
                                 points,  0,
                                 nullptr};
      const int pick = scheduler->Pick(decision);
      ASSERT_GE(pick, 0);
      ASSERT_LT(pick, fibers);
      ASSERT_NE(enabled >> pick & 1, 0u) << "step " << step << " of schedule " << n;
    }
  }
}

// An update is lost if another fiber's whole update comes between read and write.
struct LostUpdate {
  static constexpr int kFibers = 2;
  int value = 0;
  void Body(int) {
    Point(&value);
    const int seen = value;
    Point(&value);
    value = seen + 1;
  }
  bool broken() const { return value != 2; }
};

TEST_P(EveryScheduleTest, FindsALostUpdate) {
  EXPECT_LE(RunsUntilBroken<LostUpdate>(kind(), 64, 300), 300);
}

// reorder_5 of SCTBench in small: only a reader between two writes sees it.
struct Reorder {
  static constexpr int kFibers = 4;
  int a = 0;
  int b = 0;
  bool seen = false;
  void Body(int fiber) {
    if (fiber < 3) {
      Point(&a);
      a = 1;
      Point(&b);
      b = -1;
    } else {
      Point(&a);
      const int first = a;
      Point(&b);
      seen = seen || first + b == 1;
    }
  }
  bool broken() const { return seen; }
};

TEST_P(EveryScheduleTest, FindsAReorderingAmongFourFibers) {
  EXPECT_LE(RunsUntilBroken<Reorder>(kind(), 64, 2000), 2000);
}

INSTANTIATE_TEST_SUITE_P(All, EveryScheduleTest, testing::Range(1, kKindCount),
                         [](const testing::TestParamInfo<int>& info) {
                           return std::string(NameOf(static_cast<Kind>(info.param)));
                         });

// Two ordering constraints: fiber 1 must come after `armed` and before `closed`, and
// both lie within a long fiber 0.
struct DepthTwo {
  bool armed = false;
  bool hit = false;
  int other = 0;
  void Body(int fiber) {
    if (fiber == 0) {
      for (int i = 0; i < 12; ++i) Point(&other);
      armed = true;
      Point(&armed);
      armed = false;
      for (int i = 0; i < 12; ++i) Point(&other);
    } else {
      Point(&armed);
      hit = armed;
    }
  }
};

TEST(PctTest, FindsABugOfDepthTwoWithTheProbabilityOfItsTheorem) {
  RunOptions options;
  options.points_hint[0] = 25;
  options.points_hint[1] = 1;
  int found = 0;
  constexpr int kRuns = 20000;
  for (uint32_t n = 0; n < kRuns; ++n) {
    DepthTwo subject;
    RunResult result;
    Executor::Get().Run(
        2, [](void* context, int fiber) { static_cast<DepthTwo*>(context)->Body(fiber); }, &subject,
        Of(Kind::kPct, 0, n), options, &result);
    found += subject.hit;
  }
  // 1 / (n k^(d-1)) with n = 2, k = 26, d = 2, less four standard deviations.
  EXPECT_GE(found, kRuns / 52 - 4 * 20);
}

// The victim is passed by eight whole operations of the others: the case for which
// starving exists, and which a plain random walk all but never reaches.
struct Starvation {
  static constexpr int kFibers = 3;
  bool victim_waits = false;
  int passed = 0;
  int most = 0;
  void Body(int fiber) {
    for (int i = 0; i < 6; ++i) {
      Point(&passed);
      if (fiber != 0) {
        if (victim_waits) ++passed;
        Point(&most);
      } else if (i == 1) {
        victim_waits = true;
        passed = 0;
        Point(&victim_waits);
        most = passed;
        victim_waits = false;
      }
    }
  }
  bool broken() const { return most >= 10; }
};

TEST(StarveTest, HoldsOneFiberBackLongEnough) {
  const int starve = RunsUntilBroken<Starvation>(Kind::kStarve, 5, 5000);
  const int random = RunsUntilBroken<Starvation>(Kind::kRandom, 0, 5000);
  EXPECT_LE(starve, 200);
  EXPECT_GT(random, starve);
}

// How often each order of the events of fiber 0 (three) and fiber 1 (one) occurs.
std::map<std::string, int> Words(Kind kind, uint8_t parameter, int runs) {
  struct Subject {
    std::string word;
    int object = 0;
  };
  RunOptions options;
  options.points_hint[0] = 3;
  options.points_hint[1] = 1;
  std::map<std::string, int> count;
  for (int n = 0; n < runs; ++n) {
    Subject subject;
    RunResult result;
    Executor::Get().Run(
        2,
        [](void* context, int fiber) {
          auto* self = static_cast<Subject*>(context);
          for (int i = 0; i < (fiber == 0 ? 3 : 1); ++i) {
            Point(&self->object);
            self->word += static_cast<char>('0' + fiber);
          }
        },
        &subject, Of(kind, parameter, static_cast<uint32_t>(n)), options, &result);
    ++count[subject.word];
  }
  return count;
}

TEST(UrwTest, DrawsAllInterleavingsEquallyOften) {
  // Of the 15 orders of 4 + 2 segments (each fiber begins with one up to its first
  // point), so many give each word:
  const std::map<std::string, int> orders = {{"1000", 3}, {"0100", 3}, {"0010", 4}, {"0001", 5}};
  constexpr int kRuns = 30000;
  auto urw = Words(Kind::kUrw, 0, kRuns);
  auto random = Words(Kind::kRandom, 0, kRuns);
  int far = 0;
  for (const auto& [word, times] : orders) {
    EXPECT_NEAR(urw[word], kRuns / 15 * times, kRuns / 100) << word;
    far += std::abs(random[word] - kRuns / 15 * times) > kRuns / 20;
  }
  EXPECT_GT(far, 0) << "a random walk is not uniform";
}

TEST(StickyTest, SwitchesAsOftenAsItsParameterSays) {
  const auto preemptions = [](uint8_t parameter) {
    RunResult result;
    int sum = 0;
    for (uint32_t seed = 0; seed < 200; ++seed) {
      Executor::Get().Run(
          2,
          [](void*, int) {
            for (int i = 0; i < 50; ++i) Point(nullptr);
          },
          nullptr, Of(Kind::kSticky, parameter, seed), {}, &result);
      sum += result.preemptions;
    }
    return sum;
  };
  EXPECT_EQ(preemptions(0), 0);
  const int eighth = preemptions(32);
  const int half = preemptions(128);
  EXPECT_NEAR(half, 200 * 95 / 2, 1000);
  EXPECT_NEAR(eighth, 200 * 85 / 8, 500);
}

// Eight distractions per fiber before the one access that matters.
struct Hidden {
  static constexpr int kFibers = 3;
  int shared = 0;
  int own[3] = {};
  std::string order;
  Hidden() { order.reserve(8); }
  void Body(int fiber) {
    Point(&shared);  // numbers the interesting object first
    for (int i = 0; i < 8 * fiber; ++i) Point(&own[fiber]);
    Point(&shared);
    order += static_cast<char>('0' + fiber);
  }
  bool broken() const { return order == "210"; }
};

TEST(SurwTest, OrdersTheEventsOfTheInterestingObjectWhateverLiesBetween) {
  const int surw = RunsUntilBroken<Hidden>(Kind::kSurw, 0, 200);
  EXPECT_LE(surw, 200);
  // The same walk, told to look at another object, has no such hold.
  EXPECT_GT(RunsUntilBroken<Hidden>(Kind::kRandom, 0, 200), surw);
}

// How often, of 9,000 times, the fiber that was picked first is picked again.
int PickedTwice(uint16_t object_of_fiber_0, uint16_t object_of_fiber_1) {
  Scheduler* const pos = SchedulerOf(Kind::kPos);
  PendingEvent pending[kFiberCapacity];
  pending[0].object = object_of_fiber_0;
  pending[1].object = object_of_fiber_1;
  const int points[kFiberCapacity] = {};
  const uint16_t hint[kFiberCapacity] = {};
  int twice = 0;
  for (uint32_t seed = 0; seed < 9000; ++seed) {
    pos->Start(Of(Kind::kPos, 0, seed), 2, hint);
    const int first = pos->Pick({0, -1, 2, 3, pending, 0, points, 0, nullptr});
    twice += pos->Pick({1, first, 2, 3, pending, first, points, 0, nullptr}) == first;
  }
  return twice;
}

TEST(PosTest, RedrawsTheEventThatRanAndThoseThatRaceWithIt) {
  // The loser keeps its priority, the lesser of two draws, unless it races.
  EXPECT_NEAR(PickedTwice(1, 2), 6000, 200);
  EXPECT_NEAR(PickedTwice(0, 0), 6000, 200) << "no object, no race";
  EXPECT_NEAR(PickedTwice(1, 1), 4500, 200);
}

}  // namespace
}  // namespace cancelsafe::schedule
