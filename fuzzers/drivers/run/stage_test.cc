// The fibers, the time and the rest of a run, without a driver.
#include "fuzzers/drivers/run/stage.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/drivers/world/services.h"
#include "impl/kernel/windows_code.h"
#include "wdm.h"

namespace cancelsafe::drivers {
namespace {

class TestPlay : public Stage::Play {
 public:
  std::function<void(int)> fiber = [](int) {};
  std::function<void()> manage = [] {};
  void Fiber(int number) override { fiber(number); }
  void Manage() override { manage(); }
};

Stage& stage() {
  Stage::Get().Install();
  return Stage::Get();
}

schedule::RunStatus RunPlay(TestPlay* play, int program_fibers, int driver_fibers,
                            uint32_t seed = 0) {
  schedule::Schedule schedule;
  schedule.kind = seed == 0 ? schedule::Kind::kChoices : schedule::Kind::kRandom;
  schedule.seed = seed;
  schedule::RunResult result;
  stage().Run(play, program_fibers, driver_fibers, schedule, StageOptions(), &result);
  return result.status;
}

int* counted;
void CountOne(void*) { ++*counted; }

TEST(StageTest, TheManagerRestsUntilNothingCanGoOn) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    TestPlay play;
    int done = 0;
    counted = &done;
    int seen = -1;
    play.fiber = [](int) {
      stage().Point(nullptr);
      Scheduler().start(DriveActivity::kWorkItem, &CountOne, nullptr);
    };
    play.manage = [&] {
      stage().WaitForRest();
      seen = done;
    };
    EXPECT_EQ(RunPlay(&play, 2, 1, seed), schedule::RunStatus::kDone);
    EXPECT_EQ(seen, 2);
    EXPECT_FALSE(stage().starved());
    EXPECT_TRUE(stage().verdict().ok());
  }
}

TEST(StageTest, TimeMovesOnlyWhenAllWait) {
  TestPlay play;
  int fired = 0;
  counted = &fired;
  std::vector<uint64_t> times;
  bool in_time = true;
  char block = 0;
  play.fiber = [&](int) {
    const uint64_t begin = Scheduler().now();
    Scheduler().at(begin + 30 * kTicksPerMs, &CountOne, nullptr, &fired);
    times.push_back(Scheduler().now() - begin);
    in_time = Scheduler().wait(&block, begin + 20 * kTicksPerMs);
    times.push_back(Scheduler().now() - begin);
    EXPECT_EQ(fired, 0);
  };
  play.manage = [&] {
    times.reserve(8);
    stage().WaitForRest();
  };
  EXPECT_EQ(RunPlay(&play, 1, 1), schedule::RunStatus::kDone);
  EXPECT_EQ(times, (std::vector<uint64_t>{0, 20 * kTicksPerMs}));
  EXPECT_FALSE(in_time);
  EXPECT_EQ(fired, 1);
}

TEST(StageTest, ADisarmedTimerDoesNotGoOff) {
  TestPlay play;
  int fired = 0;
  counted = &fired;
  play.fiber = [&](int) {
    Scheduler().at(Scheduler().now() + 10, &CountOne, nullptr, &fired);
    EXPECT_TRUE(Scheduler().disarm(&fired));
    EXPECT_FALSE(Scheduler().disarm(&fired));
    stage().Advance(5);
  };
  play.manage = [] { stage().WaitForRest(); };
  EXPECT_EQ(RunPlay(&play, 1, 1), schedule::RunStatus::kDone);
  EXPECT_EQ(fired, 0);
}

TEST(StageTest, WorkWithoutAFiberIsStarvedAndNotADeadlock) {
  TestPlay play;
  int done = 0;
  counted = &done;
  play.fiber = [](int) { Scheduler().start(DriveActivity::kDpc, &CountOne, nullptr); };
  play.manage = [] { stage().WaitForRest(); };
  RunPlay(&play, 1, 0);
  EXPECT_TRUE(stage().starved());
  EXPECT_TRUE(stage().verdict().ok());
  EXPECT_EQ(done, 0);
}

TEST(StageTest, AWaitThatNothingEndsIsNamed) {
  TestPlay play;
  char block = 0;
  play.manage = [&block] {
    while (true) Scheduler().wait(&block, kNever);
  };
  EXPECT_EQ(RunPlay(&play, 1, 1), schedule::RunStatus::kDeadlock);
  EXPECT_EQ(stage().verdict().rule, "wait-without-end");
}

// The manager waits for what the play does when nothing can go on.
class StuckPlay final : public TestPlay {
 public:
  bool Unstick() override {
    ++asked;
    done = asked == 2;
    return true;
  }
  int asked = 0;
  bool done = false;
};

TEST(StageTest, AManagerThatWaitsIsHelped) {
  StuckPlay play;
  char block = 0;
  play.manage = [&] {
    while (!play.done) Scheduler().wait(&block, kNever);
  };
  EXPECT_EQ(RunPlay(&play, 2, 1), schedule::RunStatus::kDone);
  EXPECT_EQ(play.asked, 2);
  EXPECT_TRUE(stage().verdict().ok());
}

// A timer that is set again each time that it goes off.
char periodic = 0;
void SetPeriodic(void*) {
  Scheduler().at(Scheduler().now() + kTicksPerMs, &SetPeriodic, nullptr, &periodic);
}

TEST(StageTest, ATimedWaitEndsAlsoAfterARunThatCameToNoRest) {
  for (const bool stops_before : {true, false}) {
    TestPlay play;
    char block = 0;
    bool in_time = true;
    play.manage = [&] {
      SetPeriodic(nullptr);
      stage().WaitForRest();
      EXPECT_TRUE(stage().restless());
      if (stops_before) EXPECT_TRUE(Scheduler().disarm(&periodic));
      in_time = Scheduler().wait(&block, Scheduler().now() + 20 * kTicksPerMs);
      if (!stops_before) EXPECT_TRUE(Scheduler().disarm(&periodic));
      stage().WaitForRest();
    };
    EXPECT_EQ(RunPlay(&play, 1, 1), schedule::RunStatus::kDone);
    EXPECT_FALSE(in_time);
    EXPECT_TRUE(stage().verdict().ok()) << stage().verdict().rule;
  }
}

TEST(StageTest, AWaitIsNotJudgedWhileTimersGoOnWithoutEnd) {
  for (const bool stops_before : {true, false}) {
    TestPlay play;
    char block = 0;
    play.manage = [&] {
      SetPeriodic(nullptr);
      stage().WaitForRest();
      if (stops_before) EXPECT_TRUE(Scheduler().disarm(&periodic));
      while (true) Scheduler().wait(&block, kNever);
    };
    EXPECT_EQ(RunPlay(&play, 1, 1), schedule::RunStatus::kDeadlock);
    EXPECT_EQ(stage().verdict().rule, stops_before ? "wait-without-end" : "host-limit");
  }
}

int* finished;

TEST(StageTest, WhatComesAfterDpcsWaitsForThoseBefore) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    TestPlay play;
    int done = 0;
    counted = &done;
    int seen = -1;
    finished = &seen;
    play.fiber = [](int) {
      const auto slow = [](void*) {
        for (int i = 0; i < 5; ++i) stage().Point(nullptr);
        ++*counted;
      };
      Scheduler().start(DriveActivity::kDpc, slow, nullptr);
      Scheduler().start(DriveActivity::kDpc, slow, nullptr);
      Scheduler().start(DriveActivity::kAfterDpcs, [](void*) { *finished = *counted; }, nullptr);
    };
    play.manage = [] { stage().WaitForRest(); };
    EXPECT_EQ(RunPlay(&play, 1, 3, seed), schedule::RunStatus::kDone);
    EXPECT_EQ(seen, 2);
    EXPECT_FALSE(stage().starved());
  }
}

TEST(StageTest, WhatIsStartedAfterUnloadBreaksARule) {
  TestPlay play;
  int done = 0;
  counted = &done;
  play.manage = [] {
    stage().NoteUnloaded();
    Scheduler().start(DriveActivity::kWorkItem, &CountOne, nullptr);
    stage().WaitForRest();
  };
  RunPlay(&play, 1, 1);
  EXPECT_EQ(stage().verdict().rule, "runs-after-unload");
  EXPECT_EQ(done, 0);
}

template <typename Result, typename... Parameters>
Result CallService(const char* name, Parameters... parameters) {
  typedef Result(CANCELSAFE_MS_ABI * Routine)(Parameters...);
  const Service* const service = FindService(name);
  return reinterpret_cast<Routine>(const_cast<void*>(service->address))(parameters...);
}

CANCELSAFE_MS_ABI void CountDpc(PKDPC, PVOID, PVOID, PVOID) { ++*counted; }

TEST(StageTest, ADpcThatWasRemovedIsNotLeftAfterUnload) {
  for (const bool removes : {true, false}) {
    TestPlay play;
    int done = 0;
    counted = &done;
    bool removed = false;
    play.manage = [&] {
      static KDPC dpc;
      CallService<void>("KeInitializeDpc", &dpc, reinterpret_cast<PVOID>(&CountDpc), PVOID{});
      EXPECT_TRUE(CallService<BOOLEAN>("KeInsertQueueDpc", &dpc, PVOID{}, PVOID{}));
      if (removes) removed = CallService<BOOLEAN>("KeRemoveQueueDpc", &dpc) != 0;
      stage().NoteUnloaded();
      stage().WaitForRest();
    };
    RunPlay(&play, 1, 1);
    EXPECT_EQ(removed, removes);
    EXPECT_EQ(stage().verdict().rule, removes ? "" : "runs-after-unload");
    EXPECT_EQ(done, 0);
  }
}

TEST(StageTest, AReportEndsTheRunWithItsRule) {
  TestPlay play;
  bool went_on = false;
  play.fiber = [&](int) {
    Scheduler().report("irql", "KeWaitForSingleObject", "called at DISPATCH_LEVEL");
    went_on = true;
  };
  play.manage = [] { stage().WaitForRest(); };
  EXPECT_EQ(RunPlay(&play, 1, 0), schedule::RunStatus::kStopped);
  EXPECT_EQ(stage().verdict().rule, "irql");
  EXPECT_EQ(stage().verdict().clause, "DRV-IRQL-01");
  EXPECT_FALSE(went_on);
}

}  // namespace
}  // namespace cancelsafe::drivers
