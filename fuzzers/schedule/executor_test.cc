// The executor's contract: how runs end, that a fiber pool survives abandoned runs,
// and that stacks are guarded. Replays are in replay_test.cc.
#include "fuzzers/schedule/executor.h"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <vector>

#include "fuzzers/schedule/fiber.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

using BodyFunction = std::function<void(int fiber)>;

void Call(void* context, int fiber) { (*static_cast<const BodyFunction*>(context))(fiber); }

RunResult RunBodies(int fibers, BodyFunction body, const Schedule& schedule = {},
                    const RunOptions& options = {}) {
  RunResult result;
  Executor::Get().Run(fibers, &Call, &body, schedule, options, &result);
  return result;
}

Executor& executor() { return Executor::Get(); }

TEST(ExecutorTest, RunsEachBodyOnceInFiberOrderByDefault) {
  for (int fibers = 1; fibers <= kFiberCapacity; ++fibers) {
    std::vector<int> order;
    order.reserve(16);
    order.reserve(16);  // growth on a fiber would be a race to TSan
    const RunResult result = RunBodies(fibers, [&](int fiber) {
      EXPECT_EQ(executor().current(), fiber);
      order.push_back(fiber);
      executor().Point(1, &order, 0);
      order.push_back(fiber);
    });
    std::vector<int> expected;
    for (int f = 0; f < fibers; ++f) expected.insert(expected.end(), {f, f});
    EXPECT_EQ(order, expected);
    EXPECT_EQ(result.status, RunStatus::kDone);
    EXPECT_EQ(result.points, fibers);
    EXPECT_EQ(result.switches, fibers - 1);
    EXPECT_EQ(result.preemptions, 0);
    EXPECT_EQ(result.finished_mask, (1 << fibers) - 1);
    EXPECT_FALSE(executor().running());
  }
}

TEST(ExecutorTest, CountsThePointsOfASingleFiberWithoutDecisions) {
  Schedule schedule;
  schedule.kind = Kind::kRandom;
  const RunResult result = RunBodies(
      1,
      [](int) {
        for (int i = 0; i < 7; ++i) executor().Point(1, nullptr, 0);
      },
      schedule);
  EXPECT_EQ(result.points, 7);
  EXPECT_EQ(result.points_of[0], 7);
  EXPECT_EQ(result.decisions, 0);
  EXPECT_EQ(result.digest, 0u);
}

TEST(ExecutorTest, PointOutsideARunDoesNothing) {
  executor().Point(1, nullptr, 0);
  executor().Wake(nullptr);
  EXPECT_FALSE(executor().running());
}

// Counts what it is told.
class Told : public Scheduler {
 public:
  void Start(const Schedule&, int, const uint16_t*) override {}
  int Pick(const Decision& decision) override { return decision.default_fiber; }
  bool sees_all_points() const override { return true; }
  void OnTouch(const volatile void*, uint8_t, bool) override { ++words; }
  void OnTouchAll() override { ++all; }

  size_t words = 0;
  int all = 0;
};

TEST(ExecutorTest, MoreMemoryThanIsGoneThroughMayBeAnything) {
  BodyFunction body = [](int) {
    // Addresses alone, no memory: a guest's number may be wrong.
    const auto* const address = reinterpret_cast<const volatile void*>(uintptr_t{0x10000});
    executor().TouchMemory(address, kMaxToldBytes, true);
    executor().TouchMemory(address, kMaxToldBytes + 1, true);
    executor().TouchMemory(address, ~size_t{0}, false);
  };
  Told told;
  RunResult result;
  executor().RunWith(&told, 1, &Call, &body, Schedule(), RunOptions(), &result);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(told.words, kMaxToldBytes / 8);
  EXPECT_EQ(told.all, 2);
}

TEST(ExecutorTest, AChoicePreemptsAndOneOfAFiberThatIsNotEnabledIsIgnored) {
  std::vector<int> order;
  order.reserve(8);
  Schedule schedule;
  // Decision 0 is who starts; at decision 1 fiber 0 stands at its point.
  schedule.choices[schedule.choice_count++] = {0, 3};
  schedule.choices[schedule.choice_count++] = {1, 1};
  const RunResult result = RunBodies(
      2,
      [&](int fiber) {
        executor().Point(1, &order, 0);
        order.push_back(fiber);
      },
      schedule);
  EXPECT_EQ(order, (std::vector<int>{1, 0}));
  EXPECT_EQ(result.preemptions, 1);
  EXPECT_EQ(result.switches, 2);
  EXPECT_EQ(result.decisions, 3);
}

TEST(ExecutorTest, DeadlockTellsWhereEachFiberStands) {
  ToyLock locks[2];
  Schedule schedule;
  schedule.choices[schedule.choice_count++] = {2, 1};  // fiber 0 wants its second lock
  const RunResult result = RunBodies(
      3,
      [&](int fiber) {
        if (fiber == 2) return;
        locks[fiber].Acquire(100 + static_cast<uintptr_t>(fiber));
        locks[1 - fiber].Acquire(200 + static_cast<uintptr_t>(fiber));
        ADD_FAILURE() << "fiber " << fiber << " got both locks";
      },
      schedule);
  EXPECT_EQ(result.status, RunStatus::kDeadlock);
  EXPECT_EQ(result.finished_mask, 4);
  EXPECT_EQ(result.position[0].kind, kToyLock);
  EXPECT_EQ(result.position[0].site, 200u);
  EXPECT_EQ(result.position[0].object, 1);
  EXPECT_EQ(result.position[1].site, 201u);
  EXPECT_EQ(result.position[1].object, 2);
}

TEST(ExecutorTest, ASingleFiberThatBlocksIsADeadlock) {
  int object = 0;
  const RunResult result = RunBodies(1, [&](int) { executor().Block(&object, 5); });
  EXPECT_EQ(result.status, RunStatus::kDeadlock);
  EXPECT_EQ(result.position[0].object, 1);
  EXPECT_EQ(result.position[0].site, 5u);
  EXPECT_EQ(result.finished_mask, 0);
}

TEST(ExecutorTest, LivelockEndsAtThePointBudget) {
  for (int fibers = 1; fibers <= 3; ++fibers) {
    RunOptions options;
    options.point_budget = 50;
    int object = 0;
    const RunResult result = RunBodies(
        fibers,
        [&](int) {
          for (;;) executor().Point(9, &object, 42);
        },
        {}, options);
    EXPECT_EQ(result.status, RunStatus::kLivelock);
    EXPECT_EQ(result.points, 50);
    EXPECT_EQ(result.position[0].kind, 9);
    EXPECT_EQ(result.position[0].site, 42u);
    EXPECT_EQ(result.position[0].object, 1);
  }
}

// The default goes on with the fiber that waits, for ever. A fair schedule does not.
TEST(ExecutorTest, WaitingForAFiberThatTheScheduleHoldsBackIsNotALivelock) {
  for (const int fibers : {2, 3, 4}) {
    bool done = false;
    RunOptions options;
    options.record_choices = true;
    const auto body = [&](int fiber) {
      if (fiber == fibers - 1) {
        executor().Point(9, &done, 42);
        done = true;
      }
      while (!done) executor().Point(9, &done, 42);
    };
    const RunResult result = RunBodies(fibers, body, {}, options);
    EXPECT_EQ(result.status, RunStatus::kDone);
    EXPECT_GE(result.points, kMaxPointBudget / 2);
    EXPECT_LT(result.points, kMaxPointBudget / 2 + 20);
    done = false;
    EXPECT_EQ(RunBodies(fibers, body, result.executed, options).digest, result.digest);
  }
}

TEST(ExecutorTest, AYieldLetsTheOthersGoOn) {
  for (const Kind kind : {Kind::kChoices, Kind::kSticky, Kind::kPct}) {
    bool done[2] = {};
    Schedule schedule;
    schedule.kind = kind;
    // Two fibers wait, one for the other, and that one for the third.
    const RunResult result = RunBodies(
        3,
        [&](int fiber) {
          while (fiber < 2 && !done[fiber]) executor().Yield(9, 42);
          executor().Point(9, nullptr, 42);
          if (fiber > 0) done[fiber - 1] = true;
        },
        schedule);
    EXPECT_EQ(result.status, RunStatus::kDone);
    EXPECT_LT(result.points, 100) << "no need of the fair half";
  }
}

TEST(ExecutorTest, FibersThatYieldToEachOtherForeverAreALivelock) {
  const RunResult result = RunBodies(2, [&](int) {
    for (;;) executor().Yield(9, 42);
  });
  EXPECT_EQ(result.status, RunStatus::kLivelock);
  EXPECT_EQ(result.points, kMaxPointBudget);
}

TEST(ExecutorTest, FibersThatWakeEachOtherForeverAreALivelock) {
  int object = 0;
  const RunResult result = RunBodies(2, [&](int) {
    for (;;) {
      executor().Wake(&object);
      executor().Block(&object, 0);
    }
  });
  EXPECT_EQ(result.status, RunStatus::kLivelock);
}

TEST(ExecutorTest, StopLeavesAtOnceAndThePoolServesTheNextRuns) {
  for (int round = 0; round < 200; ++round) {
    Schedule schedule;
    schedule.kind = Kind::kRandom;
    schedule.seed = static_cast<uint32_t>(round);
    int passed = 0;
    const int fibers = 1 + round % kMaxFibers;
    const BodyFunction stopping = [&](int) {
      // Frames with live variables, so that an abandoned stack is not empty.
      volatile char room[512];
      for (int i = 0; i < 5; ++i) {
        room[i] = 1;
        executor().Point(1, &passed, 0);
        if (++passed == 7 % (5 * fibers)) executor().Stop();
      }
    };
    const RunResult stopped = RunBodies(fibers, stopping, schedule);
    ASSERT_EQ(stopped.status, RunStatus::kStopped);
    ASSERT_EQ(passed, 7 % (5 * fibers));

    passed = 100;
    const RunResult next = RunBodies(kMaxFibers, stopping, schedule);
    ASSERT_EQ(next.status, RunStatus::kDone);
    ASSERT_EQ(passed, 120);
  }
}

TEST(ExecutorTest, ABlockedFiberWaitsForItsOwnObjectOnly) {
  int mine = 0;
  int other = 0;
  bool ready = false;
  std::vector<int> order;
  order.reserve(8);
  const RunResult result = RunBodies(2, [&](int fiber) {
    if (fiber == 0) {
      while (!ready) executor().Block(&mine, 0);
      order.push_back(0);
    } else {
      executor().Wake(&other);
      executor().Point(1, nullptr, 0);
      order.push_back(1);
      ready = true;
      executor().Wake(&mine);
    }
  });
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(order, (std::vector<int>{1, 0}));
  EXPECT_EQ(result.decisions, 1) << "only the start has two enabled fibers";
}

TEST(ExecutorTest, PendingEventsNameObjectsInOrderOfFirstUse) {
  static int objects[3];
  struct Watcher : Scheduler {
    void Start(const Schedule&, int, const uint16_t*) override {
      seen.clear();
      seen.reserve(16);
    }
    int Pick(const Decision& decision) override {
      if (decision.current >= 0) seen.push_back(decision.pending[decision.current].object);
      return decision.default_fiber;
    }
    bool compares_objects() const override { return true; }
    std::vector<int> seen;
  } watcher;
  RunResult result;
  for (int round = 0; round < 2; ++round) {
    Executor::Get().RunWith(
        &watcher, 2,
        [](void*, int fiber) {
          if (fiber != 0) return;
          for (const int i : {2, 0, 2, 1, 0}) executor().Point(1, &objects[i], 0);
          executor().Point(1, nullptr, 0);
        },
        nullptr, {}, {}, &result);
    EXPECT_EQ(watcher.seen, (std::vector<int>{1, 2, 1, 3, 2, 0}));
  }
}

TEST(ExecutorTest, ExceptionsMayBeCaughtBetweenPoints) {
  Schedule schedule;
  schedule.kind = Kind::kRandom;
  int caught = 0;
  const RunResult result = RunBodies(
      3,
      [&](int fiber) {
        for (int i = 0; i < 3; ++i) {
          try {
            executor().Point(1, &caught, 0);
            throw std::runtime_error("thrown on a fiber");
          } catch (const std::runtime_error&) {
            ++caught;
          }
          executor().Point(1, &caught, static_cast<uintptr_t>(fiber));
        }
      },
      schedule);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(caught, 9);
}

// Uses about `bytes` of stack, with a point at the deepest place. The outer frame is
// used after the inner call, so that no compiler can make a loop of it; AddressSanitizer would take
// unoptimized frames from the heap.
__attribute__((noinline, no_sanitize("address"))) int Deep(int bytes, volatile char* outer) {
  volatile char frame[1024];
  frame[0] = 1;
  if (bytes <= 0) {
    executor().Point(1, nullptr, 0);
    return 1;
  }
  const int depth = Deep(bytes - 1024, frame);
  *outer = frame[0];
  return depth + *outer;
}

TEST(ExecutorTest, DeepCallsFitOnEveryStack) {
  Schedule schedule;
  schedule.kind = Kind::kRandom;
  int depth = 0;
  const RunResult result = RunBodies(
      kFiberCapacity,
      [&](int) {
        volatile char bottom = 0;
        depth += Deep(96 * 1024, &bottom);
      },
      schedule);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(depth, kFiberCapacity * 97);
}

TEST(ExecutorDeathTest, AnOverflowMeetsTheGuardPage) {
  EXPECT_DEATH(RunBodies(2,
                         [](int) {
                           volatile char bottom = 0;
                           Deep(static_cast<int>(kStackSize) + 4096, &bottom);
                         }),
               "");
}

TEST(ExecutorDeathTest, MisuseIsNamed) {
  EXPECT_DEATH(RunBodies(9, [](int) {}), "number of fibers");
  EXPECT_DEATH(executor().Block(nullptr, 0), "Block outside a run");
  EXPECT_DEATH(executor().Stop(), "Stop outside a run");
  EXPECT_DEATH(RunBodies(1, [](int) { RunBodies(1, [](int) {}); }), "run within a run");
}

TEST(ExecutorTest, InterleavingCoverageMarksSwitchesTheSameWayEachTime) {
  static uint8_t first[1024];
  static uint8_t second[1024];
  const BodyFunction body = [](int fiber) {
    const auto code = reinterpret_cast<uintptr_t>(&Deep);
    for (uintptr_t i = 0; i < 6; ++i) executor().Point(1, &first, code + fiber * 16 + i);
  };
  Schedule schedule;
  schedule.kind = Kind::kRandom;
  int switches = 0;
  for (uint8_t* counters : {first, second}) {
    executor().SetCoverage(counters, 1024);
    switches = RunBodies(3, body, schedule).switches;
    executor().SetCoverage(nullptr, 1);
  }
  int met = 0;
  for (int i = 0; i < 1024; ++i) {
    EXPECT_EQ(first[i], second[i]);
    met += first[i];
  }
  EXPECT_GT(met, 3);
  EXPECT_LE(met, switches);
}

}  // namespace
}  // namespace cancelsafe::schedule
