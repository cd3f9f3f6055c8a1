// Where one run stands for those in which calls begin and end in another order, no value is
// lost and no order between calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "base/affordable.h"
#include "base/random.h"
#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/complete_testing.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

// Random programs whose fibers make calls of a few accesses, with and without a lock, and
// with touches that only they make. What is seen: all values, and for each call the calls of
// each fiber that had ended before it began.
class CallsProgram {
 public:
  static constexpr int kWords = 3, kCalls = 2, kFibers = 3;
  static constexpr uint8_t kAccess = 9, kBetween = 10;
  struct Step {
    int word;  // kWords: one of the fiber's own
    bool writes;
    bool locks;  // the lock is held from here to the end of the call
  };

  explicit CallsProgram(uint64_t seed) {
    Random random(seed);
    fibers = 2 + static_cast<int>(random.Below(2));
    for (int f = 0; f < fibers; ++f) {
      const int calls = fibers == 2 ? 1 + static_cast<int>(random.Below(kCalls)) : 1;
      for (int c = 0; c < calls; ++c) {
        std::vector<Step> steps(1 + random.Below(3));
        for (Step& step : steps) {
          step.word = static_cast<int>(random.Below(kWords + 1));
          step.writes = random.Below(3) != 0;
          step.locks = random.Below(4) == 0;
        }
        call[f].push_back(steps);
      }
    }
  }

  // The values.
  Outcome Run(Scheduler* scheduler, RunResult* result) {
    lock = ToyLock();
    seen.assign(kFibers * kCalls * 4, 0);
    std::fill(std::begin(words), std::end(words), 0);
    std::fill(std::begin(own), std::end(own), 0);
    times.assign(kFibers * kCalls, {0, 0});
    time = 0;
    Executor::Get().RunWith(scheduler, fibers, &Body, this, {}, {}, result);
    Outcome values = seen;
    values.insert(values.end(), std::begin(words), std::end(words));
    values.push_back(static_cast<uint32_t>(result->status));
    return values;
  }

  // For each call of the last run, of each fiber how many had ended when it began, if what
  // happened at each time had happened at another one.
  Outcome Ended(const std::vector<uint32_t>& new_time) const {
    Outcome ended;
    for (const auto& [begin, unused] : times) {
      for (size_t g = 0; g < kFibers; ++g) {
        uint32_t count = 0;
        for (size_t c = g * kCalls; c < (g + 1) * kCalls; ++c) {
          const uint32_t end = times[c].second;
          count += begin != 0 && end != 0 && new_time[end] < new_time[begin] ? 1 : 0;
        }
        ended.push_back(count);
      }
    }
    return ended;
  }
  Outcome Ended() const {
    std::vector<uint32_t> same(time + 1);
    std::iota(same.begin(), same.end(), 0);
    return Ended(same);
  }

  static void Body(void* context, int f) {
    auto* self = static_cast<CallsProgram*>(context);
    Executor& executor = Executor::Get();
    for (size_t c = 0; c < self->call[f].size(); ++c) {
      const size_t number = static_cast<size_t>(f) * kCalls + c, at = number * 4;
      executor.NoteCall(true);
      self->times[number].first = ++self->time;
      bool held = false;
      for (size_t i = 0; i < self->call[f][c].size(); ++i) {
        const Step& step = self->call[f][c][i];
        if (step.locks && !held) self->lock.Acquire(1);
        held |= step.locks;
        uint32_t* word = step.word == kWords ? &self->own[f] : &self->words[step.word];
        executor.Point(kAccess, word, at + i);
        executor.Touch(word, step.writes);
        if (step.writes) *word = *word * 7 + static_cast<uint32_t>(at + i) + 1;
        self->seen[at + i] = *word;
      }
      if (held) self->lock.Release(2);
      executor.NoteCall(false);
      self->times[number].second = ++self->time;
      executor.Point(kBetween, nullptr, 0);
    }
  }

  static CompleteOptions Options() {
    CompleteOptions options;
    options.silent_kinds[0] = 1 << kAccess | 1 << kBetween | 1 << kToyUnlock;
    options.quiet_kinds[0] = 1 << kToyUnlock;
    return options;
  }

  int fibers;
  std::vector<std::vector<Step>> call[kFibers];
  ToyLock lock;
  uint32_t words[kWords], own[kFibers];
  Outcome seen;
  std::vector<std::pair<uint32_t, uint32_t>> times;  // by call: when it began and ended
  uint32_t time = 0;
};

// All schedules of a program, the first `max_runs` of them.
Found Everything(CallsProgram* program, int64_t max_runs,
                 const std::function<void(const Outcome&, const Outcome&)>& see) {
  ExploreOptions options;
  options.preemptions = -1;
  options.reduce = false;
  options.max_runs = max_runs;
  Explorer explorer(options);
  RunResult result;
  while (explorer.Next()) {
    const Outcome values = program->Run(&explorer, &result);
    explorer.Finished(result);
    see(values, program->Ended());
  }
  Found found;
  found.runs = explorer.runs();
  found.end = explorer.end();
  return found;
}

// All runs of a program, those that others stand for too. What a run is said to be in
// another order, it is when it is made.
Found Tightly(CallsProgram* program,
              const std::function<void(const Outcome&, const Outcome&)>& see) {
  CompleteOptions options = CallsProgram::Options();
  options.tight_calls = true;
  options.time = &program->time;
  CompleteExplorer explorer(options);
  RunResult result;
  CallOrders orders;
  Found found;
  while (explorer.Next()) {
    const Outcome values = program->Run(&explorer, &result);
    explorer.Finished(result);
    if (explorer.cut() || explorer.again()) continue;
    see(values, program->Ended());
    std::vector<CallOrders::Order> all;
    std::vector<Outcome> ended;
    explorer.NoteOrders(&orders);
    orders.ForEach([&](const CallOrders::Order& order) {
      std::vector<uint32_t> new_time;
      orders.Retime(order, program->time, &new_time);
      all.push_back(order);
      ended.push_back(program->Ended(new_time));
      return true;
    });
    for (size_t i = 0; i < all.size(); ++i) {
      see(values, ended[i]);
      if (explorer.runs() % 7 != 0) continue;
      OrderedRun run(orders, all[i]);
      EXPECT_EQ(program->Run(&run, &result), values);
      EXPECT_EQ(program->Ended(), ended[i]);
    }
    found.runs = explorer.runs();
  }
  found.end = explorer.end();
  return found;
}

// For each run of a program there is one among those that are made, or that these stand for,
// in which every value is the same and every call that had ended before another began had
// done so too. What a judge of the order between calls has against the one, it has against
// the other.
TEST(TightCallsTest, EveryRunIsMatchedByOneWithNoLessOrderBetweenCalls) {
  int64_t tight_runs = 0, loose_runs = 0;
  int whole = 0;
  for (uint64_t seed = 0; seed < Affordable(600); ++seed) {
    CallsProgram program(seed);
    std::map<Outcome, std::set<Outcome>> found;
    const Found loose = ExploreCompletely(
        CallsProgram::Options(),
        [&](Scheduler* scheduler, RunResult* result) { return program.Run(scheduler, result); });
    const Found tight = Tightly(&program, [&](const Outcome& values, const Outcome& ended) {
      found[values].insert(ended);
    });
    ASSERT_EQ(tight.end, ExploreEnd::kComplete);
    tight_runs += tight.runs;
    loose_runs += loose.runs;
    std::map<Outcome, std::set<Outcome>> everything;
    bool matched = true;
    constexpr int64_t kMost = 4000;
    const Found all = Everything(&program, kMost, [&](const Outcome& values, const Outcome& ended) {
      everything[values].insert(ended);
      const std::set<Outcome>& orders = found[values];
      matched &= std::any_of(orders.begin(), orders.end(), [&](const Outcome& other) {
        return std::equal(other.begin(), other.end(), ended.begin(),
                          std::greater_equal<uint32_t>());
      });
    });
    ASSERT_TRUE(matched) << "seed " << seed;
    if (all.end != ExploreEnd::kComplete) continue;
    ++whole;
    // Nor is anything seen that does not happen.
    ASSERT_EQ(found.size(), everything.size()) << "seed " << seed;
    for (const auto& [values, orders] : found) {
      for (const Outcome& ended : orders) {
        ASSERT_EQ(everything[values].count(ended), 1u) << "seed " << seed;
      }
    }
  }
  EXPECT_LT(tight_runs, loose_runs / 2);
  EXPECT_GE(whole, Affordable(150));
}

// What orders the fibers is learned in all parts, and each of them begins again with it.
TEST(TightCallsTest, WhatIsExploredDoesNotDependOnHowItIsCut) {
  int64_t runs = 0;
  for (uint64_t seed = 0; seed < Affordable(1000); ++seed) {
    CallsProgram program(seed);
    CompleteOptions options = CallsProgram::Options();
    options.tight_calls = true;
    options.time = &program.time;
    const auto run = [&](Scheduler* scheduler, RunResult* result) {
      return program.Run(scheduler, result);
    };
    const Found whole = ExploreCompletely(options, run);
    const Found parts = ExploreInParts(options, 1 + seed % 5, 1 + static_cast<int>(seed % 3), run);
    ASSERT_EQ(parts.end, ExploreEnd::kComplete);
    ASSERT_EQ(parts.outcomes, whole.outcomes) << "seed " << seed;
    ASSERT_EQ(parts.runs, whole.runs) << "seed " << seed;
    runs += whole.runs;
  }
  EXPECT_GT(runs, Affordable(3000));
}

}  // namespace
}  // namespace cancelsafe::schedule
