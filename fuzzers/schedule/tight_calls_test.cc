// Where calls may begin late and end early, no value is lost and no order between calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

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

  // The values, and then how many calls had ended.
  std::pair<Outcome, Outcome> Run(Scheduler* scheduler, RunResult* result) {
    lock = ToyLock();
    for (auto& list : {&seen, &ended}) list->assign(kFibers * kCalls * 4, 0);
    std::fill(std::begin(words), std::end(words), 0);
    std::fill(std::begin(own), std::end(own), 0);
    std::fill(std::begin(ends), std::end(ends), 0);
    Executor::Get().RunWith(scheduler, fibers, &Body, this, {}, {}, result);
    Outcome values = seen;
    values.insert(values.end(), std::begin(words), std::end(words));
    values.push_back(static_cast<uint32_t>(result->status));
    return {values, ended};
  }

  static void Body(void* context, int f) {
    auto* self = static_cast<CallsProgram*>(context);
    Executor& executor = Executor::Get();
    for (size_t c = 0; c < self->call[f].size(); ++c) {
      const size_t at = (static_cast<size_t>(f) * kCalls + c) * 4;
      executor.NoteCall(true);
      for (size_t g = 0; g < kFibers; ++g) self->ended[at + g] = self->ends[g];
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
      ++self->ends[f];
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
  uint32_t words[kWords], own[kFibers], ends[kFibers];
  Outcome seen, ended;
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
    const auto [values, ended] = program->Run(&explorer, &result);
    explorer.Finished(result);
    see(values, ended);
  }
  Found found;
  found.runs = explorer.runs();
  found.end = explorer.end();
  return found;
}

// For each run of a program there is one among those that are made in which every value is
// the same and every call that had ended before another began had done so too. What a judge
// of the order between calls has against the one, it has against the other.
TEST(TightCallsTest, EveryRunIsMatchedByOneWithNoLessOrderBetweenCalls) {
  int64_t tight_runs = 0, loose_runs = 0;
  int whole = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    CallsProgram program(seed);
    std::map<Outcome, std::set<Outcome>> found;
    CompleteOptions options = CallsProgram::Options();
    const Found loose = ExploreCompletely(options, [&](Scheduler* scheduler, RunResult* result) {
      return program.Run(scheduler, result).first;
    });
    options.tight_calls = true;
    CompleteExplorer explorer(options);
    RunResult result;
    while (explorer.Next()) {
      const auto [values, ended] = program.Run(&explorer, &result);
      explorer.Finished(result);
      if (!explorer.cut() && !explorer.again()) found[values].insert(ended);
    }
    ASSERT_EQ(explorer.end(), ExploreEnd::kComplete);
    tight_runs += explorer.runs();
    loose_runs += loose.runs;
    std::set<Outcome> all_values;
    bool matched = true;
    constexpr int64_t kMost = 4000;
    const Found all = Everything(&program, kMost, [&](const Outcome& values, const Outcome& ended) {
      all_values.insert(values);
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
    ASSERT_EQ(found.size(), all_values.size()) << "seed " << seed;
  }
  EXPECT_LT(tight_runs, loose_runs);
  EXPECT_GE(whole, 200);
}

}  // namespace
}  // namespace cancelsafe::schedule
