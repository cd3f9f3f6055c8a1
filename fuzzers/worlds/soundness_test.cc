// A complete search finds every kind of failure: of broken implementations, what a search
// without any reduction finds in programs of two calls on each of two fibers, and what one
// finds that makes all orders between calls. For the build that sees every access.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/complete_search.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/worlds/mutant_for_test.h"
#include "fuzzers/worlds/search.h"
#include "fuzzers/worlds/worlds.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

using schedule::ExploreEnd;
using Kinds = std::set<std::string>;

void Note(const Runner& runner, Kinds* kinds) {
  const Verdict& verdict = runner.output().verdict;
  if (!verdict.ok()) kinds->insert(VerdictKey(verdict));
}

struct Found {
  Kinds kinds;
  ExploreEnd end = ExploreEnd::kRunning;
};

Found Completely(const Program& program, Runner* runner, bool tight_calls, int64_t max_runs) {
  CompleteSearchOptions options;
  options.tight_calls = tight_calls;
  options.max_runs = max_runs;
  CompleteSearch search(program, runner, options);
  Found found;
  bool passed = true;
  while (search.Next(&passed)) Note(*runner, &found.kinds);
  found.end = search.end();
  return found;
}

// Every schedule with so many preemptions, each run.
Kinds Plainly(const Program& program, Runner* runner, int preemptions, int64_t max_runs) {
  schedule::ExploreOptions options;
  options.preemptions = preemptions;
  options.reduce = false;
  options.max_runs = max_runs;
  schedule::Explorer explorer(options);
  Kinds kinds;
  while (explorer.Next()) {
    runner->RunWith(&explorer, program, {});
    explorer.Finished(runner->output().schedule);
    Note(*runner, &kinds);
  }
  return kinds;
}

struct Case {
  const char* mutant;
  int stride;  // one program in so many
};

class SoundnessTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CanSearchCompletely());
    ASSERT_NO_FATAL_FAILURE(LoadMutantForTest(GetParam().mutant, &mutant_));
  }

  LoadedMutant mutant_;
};

TEST_P(SoundnessTest, FindsEveryKindOfFailure) {
  const char* missing = nullptr;
  Runner runner(mutant_.family, mutant_.implementation, SearchOptions(RunnerOptions()), &missing);
  ASSERT_EQ(missing, nullptr);
  constexpr int64_t kMost = 4000;
  int compared = 0, failing = 0, whole = 0;
  Worlds worlds({mutant_.family, 2, 2, 2, 0});
  while (worlds.Next()) {
    if (worlds.index() % GetParam().stride != 0) continue;
    Program program;
    ToProgram(worlds.world(), &program);
    const Found tight = Completely(program, &runner, true, kMost);
    if (tight.end != ExploreEnd::kComplete) continue;
    ++compared;
    if (!tight.kinds.empty()) ++failing;
    const auto expect_found = [&](const Kinds& kinds, const char* how) {
      for (const std::string& kind : kinds) {
        ASSERT_EQ(tight.kinds.count(kind), 1u) << kind << ", found " << how << ":\n"
                                               << PrintProgram(program);
      }
    };
    expect_found(Plainly(program, &runner, 1, INT64_MAX), "with one preemption");
    expect_found(Plainly(program, &runner, 2, kMost), "with two preemptions");
    const Found loose = Completely(program, &runner, false, 2 * kMost);
    expect_found(loose.kinds, "with all orders between calls");
    if (loose.end != ExploreEnd::kComplete) continue;
    ++whole;
    EXPECT_EQ(loose.kinds, tight.kinds) << PrintProgram(program);
  }
  EXPECT_GE(compared, 20);
  EXPECT_GE(failing, 1) << "of " << compared;
  EXPECT_GE(whole, 10);
}

INSTANTIATE_TEST_SUITE_P(Mutants, SoundnessTest,
                         testing::Values(Case{"csq-cancel-lost-between-two-atomics", 97},
                                         Case{"csq-cancel-flag-read-before-exchange", 97},
                                         Case{"cbdq-flag-set-after-unlock", 61},
                                         Case{"cbdq-disabled-tested-outside-lock", 61},
                                         Case{"dq-if-busy-tested-outside-lock", 307},
                                         Case{"sio-current-without-cancel-lock", 907},
                                         Case{"sio-enqueue-without-cancel-lock", 907}),
                         [](const auto& info) {
                           std::string name = info.param.mutant;
                           for (char& letter : name) letter = letter == '-' ? '_' : letter;
                           return name;
                         });

}  // namespace
}  // namespace cancelsafe
