// A complete search loses nothing: what a plain search up to a bound sees of a program, and
// what random schedules show, it sees too. For the build that sees every access.
#include "fuzzers/run/complete_search.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"
#include "fuzzers/run/testdata/plain_start_io.h"
#include "fuzzers/schedule/explore.h"
#include "oracle/demands.h"

namespace cancelsafe {
namespace {

using schedule::MemoryModel;

// All that can be seen of a run.
struct Seen {
  std::string what;        // results, callbacks, and the verdict
  std::vector<int> ended;  // for each call, of each other fiber the calls that had ended
};

// Of an event's snapshot, what some rule looks at.
unsigned JudgedSnapshot(const CallbackEvent& event) {
  constexpr uint16_t kOfIrp = kPendingMarked | kCancelRoutineSet | kCancelFlagSet | kContextSlotSet;
  return event.snapshot & (~kOfIrp | JudgedOfIrp(event.kind));
}

Seen SeenIn(const History& history, const Verdict& verdict) {
  Seen all;
  std::string& seen = all.what;
  for (int f = 0; f < kMaxFibers; ++f) {
    std::vector<int> calls;
    for (int i = 0; i < history.call_count; ++i) {
      if (history.calls[i].fiber == f) calls.push_back(i);
    }
    for (const int i : calls) {
      const Call& call = history.calls[i];
      absl::StrAppend(&seen, "[", static_cast<int>(call.operation.op), " ", call.operation.item,
                      call.returned ? " = " : " open ", call.outcome.value);
      for (int e = 0; e < history.event_count; ++e) {
        const CallbackEvent& event = history.events[e];
        if (event.call != i) continue;
        absl::StrAppend(&seen, " ", static_cast<int>(event.kind), ":", event.item, ":", event.after,
                        ":", event.status, ":", JudgedSnapshot(event));
      }
      // The number of calls of each other fiber that had ended.
      for (int g = 0; g < kMaxFibers; ++g) {
        int ended = 0;
        for (int k = 0; k < history.call_count; ++k) {
          const Call& other = history.calls[k];
          ended += other.fiber == g && other.returned && other.end < call.begin ? 1 : 0;
        }
        all.ended.push_back(ended);
      }
      seen += "]";
    }
    seen += "|";
  }
  absl::StrAppend(&seen, static_cast<int>(verdict.kind), " ", verdict.rule);
  return all;
}

Seen SeenIn(Runner* runner) { return SeenIn(runner->history(), runner->output().verdict); }

// What a search saw.
class SeenBySearch {
 public:
  void Add(const Seen& seen) { orders_[seen.what].insert(seen.ended); }
  // Whether it saw the same, with no less order between the calls: then no judge can
  // object to `seen` that did not object there.
  bool Covers(const Seen& seen) const {
    const auto found = orders_.find(seen.what);
    if (found == orders_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const auto& ended) {
      return std::equal(ended.begin(), ended.end(), seen.ended.begin(), seen.ended.end(),
                        std::greater_equal<int>());
    });
  }

 private:
  std::map<std::string, std::set<std::vector<int>>> orders_;
};

// A search of so many runs at most, which adds what it sees.
CompleteSearchOptions SeenBy(SeenBySearch* all, int64_t max_runs) {
  CompleteSearchOptions options;
  options.max_runs = max_runs;
  options.see = [all](const History& history, const Verdict& verdict) {
    all->Add(SeenIn(history, verdict));
  };
  return options;
}

class CompleteSearchTest : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CanSearchCompletely());
    options_.access_points = true;
  }

  // A few calls on two fibers.
  Program Small(uint64_t seed) const {
    Program program;
    GenerateProgram(GetParam(), seed, &program);
    program.schedule = schedule::Schedule();
    program.fibers = 2;
    program.operation_count =
        std::min<int>(program.operation_count, 2 + static_cast<int>(seed % 2));
    // The first half of them on fiber 0.
    for (int i = 0; i < program.operation_count; ++i) {
      program.fiber_of[i] = i >= program.operation_count / 2 ? 1 : 0;
      program.operations[i].item %= 2;
    }
    return program;
  }

  RunnerOptions options_;
};

TEST_P(CompleteSearchTest, SeesWhatBoundedAndRandomSearchesSee) {
  Bench bench(GetParam(), BuiltInImplementation(), options_);
  int too_large = 0;
  for (uint64_t seed = 1; seed <= 75 + static_cast<uint64_t>(too_large); ++seed) {
    const Program program = Small(seed);
    SeenBySearch complete;
    CompleteSearch search(program, &bench.runner(), SeenBy(&complete, 20000));
    bool passed = true;
    while (search.Next(&passed)) {
      ASSERT_TRUE(passed) << bench.runner().output().verdict.reason;
    }
    if (search.end() == schedule::ExploreEnd::kOutOfRuns) {
      ++too_large;
      continue;
    }
    ASSERT_TRUE(search.complete()) << "seed " << seed << ": " << search.Summary();
    schedule::ExploreOptions explore;
    explore.preemptions = seed % 25 == 0 ? 2 : 1;
    explore.reduce = false;
    schedule::Explorer explorer(explore);
    while (explorer.Next()) {
      bench.runner().RunWith(&explorer, program, {});
      explorer.Finished(bench.runner().output().schedule);
      ASSERT_TRUE(complete.Covers(SeenIn(&bench.runner())))
          << "seed " << seed << ", lost: " << SeenIn(&bench.runner()).what << "\n"
          << PrintProgram(program);
    }
    Program random = program;
    for (uint32_t i = 0; i < 100; ++i) {
      random.schedule.kind = i % 2 == 0 ? schedule::Kind::kRandom : schedule::Kind::kPct;
      random.schedule.parameter = static_cast<uint8_t>(i);
      random.schedule.seed = i;
      bench.runner().Run(random);
      // What other values the memory model allows is not part of this search.
      if (bench.runner().output().schedule.executed.stale_count != 0) continue;
      ASSERT_TRUE(complete.Covers(SeenIn(&bench.runner())))
          << "seed " << seed << ", lost: " << SeenIn(&bench.runner()).what << "\n"
          << PrintProgram(program);
    }
  }
  EXPECT_LE(too_large, 8);
}

// All that a history says: what there is in it, in order. (Times are also given to guesses
// of when a call took effect, of which there are more where a fiber had to wait.)
std::string Everything(const History& history) {
  std::map<uint32_t, std::string> at;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    at[call.begin] = absl::StrCat("call ", i, ": ", static_cast<int>(call.operation.op), " ",
                                  call.operation.item, " ", call.fiber, " ", call.parent, " ",
                                  call.generation, " ", call.irql_before);
    at[call.end] =
        absl::StrCat("end of ", i, ": ", call.returned, " ", call.outcome.value, " ",
                     call.item_state & (kCanariesIntact | kPendingMarked), " ", call.irql_after);
  }
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    at[event.sequence] =
        absl::StrCat("event ", i, ": ", static_cast<int>(event.kind), " ", event.item, " ",
                     event.after, " ", event.fiber, " ", event.irql, " ", event.call, " ",
                     event.status, " ", JudgedSnapshot(event));
  }
  std::string all;
  for (const auto& [time, what] : at) absl::StrAppend(&all, what, "\n");
  return all;
}

// What is said to follow from a run, in another order of its calls, is what happens when it
// is made.
TEST_P(CompleteSearchTest, HistoriesThatFollowFromARunAreThoseOfRuns) {
  Bench bench(GetParam(), BuiltInImplementation(), options_);
  int followed = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::deque<std::string> expected;
    CompleteSearchOptions options;
    options.max_runs = 200;
    options.make_all_orders = true;
    options.see = [&](const History& history, const Verdict&) {
      expected.push_back(Everything(history));
    };
    CompleteSearch search(Small(seed), &bench.runner(), options);
    bool passed = true;
    while (search.Next(&passed)) {
      ASSERT_TRUE(passed);
      const std::string made = Everything(bench.runner().history());
      // Those that follow from a run with waits are not made.
      while (!expected.empty() && expected.front() != made) expected.pop_front();
      ASSERT_FALSE(expected.empty()) << "seed " << seed << ", not foreseen:\n"
                                     << made << PrintProgram(Small(seed));
      expected.pop_front();
      ++followed;
    }
    followed -= static_cast<int>(search.runs());
  }
  EXPECT_GT(followed, 100);
}

// What random schedules with random stale values show of a program is among what the
// search under the same model sees.
TEST_P(CompleteSearchTest, SeesWhatRandomStaleValuesShow) {
  int64_t stale = 0;
  for (const MemoryModel memory : {MemoryModel::kTso, MemoryModel::kRc11}) {
    RunnerOptions options = options_;
    options.memory = memory;
    Bench bench(GetParam(), BuiltInImplementation(), options);
    int compared = 0;
    for (uint64_t seed = 1; compared < 5; ++seed) {
      Program program = Small(seed);
      SeenBySearch complete;
      {
        CompleteSearch search(program, &bench.runner(), SeenBy(&complete, 20000));
        bool passed = true;
        while (search.Next(&passed)) {
          ASSERT_TRUE(passed) << bench.runner().output().verdict.reason;
        }
        if (!search.complete()) continue;
      }
      ++compared;
      for (uint32_t i = 0; i < 300; ++i) {
        program.schedule.kind = i % 2 == 0 ? schedule::Kind::kRandom : schedule::Kind::kPct;
        program.schedule.parameter = static_cast<uint8_t>(i);
        program.schedule.seed = i;
        bench.runner().Run(program);
        stale += bench.runner().output().schedule.executed.stale_count;
        ASSERT_TRUE(complete.Covers(SeenIn(&bench.runner())))
            << "seed " << seed << ", lost: " << SeenIn(&bench.runner()).what << "\n"
            << PrintProgram(program);
      }
      program.schedule = schedule::Schedule();
    }
  }
  if (GetParam() == Family::kCsq) EXPECT_GT(stale, 0);
}

TEST_P(CompleteSearchTest, CountsAreTheSameEveryTime) {
  const Program program = Small(7);
  int64_t runs = -1, cut = -1;
  for (int round = 0; round < 3; ++round) {
    // The runner keeps nothing that matters: neither a new one nor a used one.
    Bench bench(GetParam(), BuiltInImplementation(), options_);
    for (int use = 0; use < 2; ++use) {
      CompleteSearch search(program, &bench.runner());
      bool passed = true;
      while (search.Next(&passed)) {
      }
      ASSERT_TRUE(search.complete()) << search.Summary();
      if (runs < 0) {
        runs = search.runs();
        cut = search.cut_runs();
      }
      EXPECT_EQ(search.runs(), runs);
      EXPECT_EQ(search.cut_runs(), cut);
    }
  }
}

TEST_P(CompleteSearchTest, NothingIsCompleteThatMetALimit) {
  Bench bench(GetParam(), BuiltInImplementation(), options_);
  bool passed = true;
  // The first program that has more than one execution.
  uint64_t seed = 7;
  for (int64_t runs = 0; runs < 2; ++seed) {
    CompleteSearch all(Small(seed), &bench.runner());
    while (all.Next(&passed)) {
    }
    runs = all.runs();
  }
  CompleteSearch search(Small(seed - 1), &bench.runner(), {1});
  while (search.Next(&passed)) {
  }
  EXPECT_FALSE(search.complete());
  EXPECT_NE(search.Summary().find("bounded by the number of executions"), std::string::npos);
}

// What the driver reads in its callbacks it reads as the processor that it runs on.
TEST(CompleteSearchOfBuffersTest, ADriverSeesWhatItsOwnProcessorHasStored) {
  Implementation guest = BuiltInImplementation();
  guest.IoStartPacket = &BufferedStartPacket;
  for (const MemoryModel model : {MemoryModel::kTso, MemoryModel::kRc11}) {
    RunnerOptions options;
    options.access_points = true;
    options.memory = model;
    Bench bench(Family::kStartIo, guest, options);
    const absl::StatusOr<Program> program = ParseProgram(
        "target start-io\nfiber 0\n  start-packet 0\n  start-next\nfiber 1\n  start-packet 1\n");
    ASSERT_TRUE(program.ok()) << program.status();
    CompleteSearch search(*program, &bench.runner());
    bool passed = true;
    while (search.Next(&passed)) {
      ASSERT_TRUE(passed) << VerdictLine(bench.runner().output().verdict);
    }
    EXPECT_TRUE(search.complete()) << search.Summary();
  }
}

INSTANTIATE_TEST_SUITE_P(Families, CompleteSearchTest,
                         testing::Values(Family::kCsq, Family::kDeviceQueue, Family::kStartIo,
                                         Family::kCallbackDataQueue),
                         [](const auto& info) {
                           return absl::StrCat("Family", static_cast<int>(info.param));
                         });

}  // namespace
}  // namespace cancelsafe
