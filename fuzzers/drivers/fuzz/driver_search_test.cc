// The complete search of a driver's programs: it loses nothing that other searches find, finds the
// same in all its forms, and says by what it is bounded.
#include "fuzzers/drivers/run/driver_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/program/profile.h"
#include "fuzzers/drivers/verify/driver_worlds.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/drivers/world/world.h"
#include "fuzzers/schedule/explore.h"

namespace cancelsafe::drivers {
namespace {

using schedule::MemoryModel;

std::unique_ptr<DriverImage> Load(const std::string& name) {
  std::string error;
  auto image = LoadDriver(absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name, ".sys"), &error);
  EXPECT_NE(image, nullptr) << error;
  return image;
}

DriverProgram ProgramOf(const std::string& text) {
  const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram("target driver\n" + text);
  EXPECT_TRUE(file.ok()) << file.status();
  return file->program;
}

std::string TextOf(const DriverProgram& program) {
  DriverProgramFile file;
  file.program = program;
  return PrintDriverProgram(file);
}

struct Found {
  std::set<std::string> outcomes;
  int64_t runs = 0;
  bool complete = false;
  std::string bound;
};

Found SearchAll(const DriverProgram& program, DriverRunner* runner,
                const DriverSearchOptions& options = DriverSearchOptions()) {
  DriverSearch search(program, runner, options);
  Found found;
  while (search.Next()) {
    if (search.begins()) found.outcomes.clear();
    found.outcomes.insert(search.output().outcome);
  }
  found.runs = search.runs();
  found.complete = search.complete();
  found.bound = search.Bound();
  return found;
}

// With as many fibers for the driver as it needs in most schedules.
DriverProgram WithFibers(DriverProgram program, DriverRunner* runner) {
  DriverRunOptions options;
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    DriverProgram tried = program;
    tried.schedule = GenerateSchedule(&random);
    if (!runner->Run(tried, options).starved) continue;
    if (program.driver_fibers < kMaxDriverFibers) ++program.driver_fibers;
  }
  return program;
}

// What is seen without any reduction, up to a bound on preemptions and on runs, and at random.
std::set<std::string> OtherwiseFound(DriverProgram program, DriverRunner* runner) {
  std::set<std::string> outcomes;
  DriverRunOptions options;
  options.tells = true;
  schedule::ExploreOptions explore;
  explore.preemptions = 2;
  explore.reduce = false;
  explore.max_runs = 100;
  schedule::Explorer explorer(explore);
  options.scheduler = &explorer;
  while (explorer.Next()) {
    const DriverRunOutput& output = runner->Run(program, options);
    explorer.Finished(output.schedule);
    if (!explorer.pruned()) outcomes.insert(output.outcome);
  }
  options.scheduler = nullptr;
  Random random(1);
  const MemoryModel memory = program.schedule.memory;
  for (int i = 0; i < 60; ++i) {
    program.schedule = GenerateSchedule(&random);
    program.schedule.memory = memory;
    outcomes.insert(runner->Run(program, options).outcome);
  }
  return outcomes;
}

// Every so many-th program of two fibers with so many calls.
struct Sample {
  const char* driver;
  int calls;
  int every;
  MemoryModel memory;
};

class DriverSearchTest : public ::testing::TestWithParam<Sample> {};

TEST_P(DriverSearchTest, LosesNothingThatOtherSearchesFind) {
  const auto image = Load(absl::StrCat(GetParam().driver, ".repaired"));
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  DriverScope scope;
  scope.calls = GetParam().calls;
  DriverWorlds worlds(scope, VariantsOf(scope, runner.Learn(), HasTime(*image)));
  int compared = 0;
  while (worlds.Next()) {
    if (worlds.index() % GetParam().every != 0) continue;
    DriverProgram program = worlds.program();
    program.schedule.memory = GetParam().memory;
    program = WithFibers(program, &runner);
    DriverSearchOptions options;
    options.max_runs = 1000;
    const Found found = SearchAll(program, &runner, options);
    if (!found.complete) continue;
    ++compared;
    for (const std::string& outcome : OtherwiseFound(program, &runner)) {
      EXPECT_EQ(found.outcomes.count(outcome), 1u) << outcome << "\n" << TextOf(program);
    }
  }
  EXPECT_GE(compared, 3);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, DriverSearchTest,
    ::testing::Values(Sample{"two_locks_lose_wakeup", 2, 167, MemoryModel::kSc},
                      Sample{"cleanup_forgets_requests", 2, 167, MemoryModel::kSc},
                      Sample{"csq_callbacks_without_lock", 2, 167, MemoryModel::kSc},
                      Sample{"context_published_late", 1, 3, MemoryModel::kSc},
                      Sample{"start_io_current_packet", 1, 2, MemoryModel::kSc},
                      Sample{"timer_and_cancel", 2, 101, MemoryModel::kSc},
                      Sample{"timer_left_at_unload", 1, 2, MemoryModel::kSc},
                      Sample{"takes_back_wrong_request", 1, 2, MemoryModel::kSc},
                      Sample{"remove_lock_kept", 2, 101, MemoryModel::kSc},
                      Sample{"stop_flag_and_count", 1, 211, MemoryModel::kSc},
                      Sample{"mutex_at_dispatch", 1, 3, MemoryModel::kSc},
                      Sample{"cancel_routine_stored", 1, 3, MemoryModel::kTso},
                      Sample{"two_locks_lose_wakeup", 1, 3, MemoryModel::kRc11}),
    [](const auto& info) {
      return absl::StrCat(info.param.driver, "_",
                          schedule::kMemoryModelNames[static_cast<int>(info.param.memory)]);
    });

TEST(DriverSearchFormsTest, LongStepsAndShortOnesAreTheSameExecutions) {
  for (const char* const name : {"two_locks_lose_wakeup", "request_after_stop"}) {
    const auto image = Load(absl::StrCat(name, ".repaired"));
    ASSERT_NE(image, nullptr);
    DriverRunner runner(image.get());
    DriverScope scope;
    DriverWorlds worlds(scope, VariantsOf(scope, runner.Learn(), HasTime(*image)));
    while (worlds.Next()) {
      if (worlds.index() % (name == std::string("request_after_stop") ? 149 : 5) != 0) continue;
      const DriverProgram program = WithFibers(worlds.program(), &runner);
      DriverSearchOptions options;
      options.max_runs = 500;
      const Found with_long = SearchAll(program, &runner, options);
      options.long_steps = false;
      const Found with_short = SearchAll(program, &runner, options);
      if (!with_long.complete || !with_short.complete) continue;
      EXPECT_EQ(with_long.outcomes, with_short.outcomes) << TextOf(program);
      // A step of a service may do more than there is room to say, which makes it depend on all.
      EXPECT_LE(with_long.runs, with_short.runs) << TextOf(program);
    }
  }
}

constexpr char kReadAndWrite[] =
    "open 0\n"
    "fiber 0\n"
    "  read 0 0 out=16\n"
    "fiber 1\n"
    "  write 1 0 in=16\n";

TEST(DriverSearchFormsTest, FindsALostWakeUpAndRepeatsIt) {
  const auto image = Load("two_locks_lose_wakeup.broken");
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  DriverProgram program = ProgramOf(kReadAndWrite);
  DriverSearch search(program, &runner);
  bool found = false;
  while (!found && search.Next()) found = !search.output().verdict.ok();
  ASSERT_TRUE(found);
  const Verdict verdict = search.output().verdict;
  EXPECT_EQ(verdict.rule, "lost-wake-up");
  EXPECT_FALSE(search.complete());
  program.schedule = search.output().schedule.executed;
  EXPECT_TRUE(SameFinding(runner.Run(program, DriverRunOptions()).verdict, verdict));
}

// Nothing but the judgement of the order sees whether the older read was cancelled before the
// younger one ended, so that it alone makes the search try the other order of the two.
TEST(DriverSearchFormsTest, TriesBothOrdersOfACancelAndOfWhatJudgesTheOrder) {
  const auto image = Load("put_back_behind.broken");
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  const absl::StatusOr<DriverProfile> profile = ParseDriverProfile(
      "request get read out=1..8\n"
      "request put write in=1..8\n"
      "order get\n");
  ASSERT_TRUE(profile.ok()) << profile.status();
  runner.SetProfile(&*profile);
  constexpr char kQueued[] =
      "open 0\n"
      "read 0 0 out=2\n"
      "read 1 0 out=1\n";
  const std::string cancel = "  cancel 0\n";
  const std::string write = "  write 2 0 in=1\n";
  for (const bool cancel_is_first : {true, false}) {
    const DriverProgram program =
        ProgramOf(absl::StrCat(kQueued, "fiber 0\n", cancel_is_first ? cancel : write, "fiber 1\n",
                               cancel_is_first ? write : cancel));
    EXPECT_EQ(SearchAll(program, &runner).outcomes.count("out-of-order"), 1u) << TextOf(program);
  }
}

TEST(DriverSearchFormsTest, IsNotCompleteAfterALimit) {
  const auto image = Load("two_locks_lose_wakeup.repaired");
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  DriverSearchOptions options;
  options.max_runs = 2;
  const Found found = SearchAll(ProgramOf(kReadAndWrite), &runner, options);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.bound, "the number of executions");
  EXPECT_TRUE(SearchAll(ProgramOf(kReadAndWrite), &runner).complete);
}

// Rules that wait for the driver to rest are not applied then.
TEST(DriverSearchFormsTest, IsNotCompleteWhereTheDriverDoesNotComeToRest) {
  const auto image = Load("timer_left_at_unload.repaired");
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  const Found found = SearchAll(ProgramOf("open 0\nfiber 0\n  write 0 0 in=16\n"), &runner);
  EXPECT_FALSE(found.complete);
  // Of several bounds the last is said; the memory engine has room for part of such a run.
  EXPECT_THAT(found.bound, testing::AnyOf(testing::HasSubstr("does not come to rest"),
                                          testing::HasSubstr("could not be judged")));
}

TEST(DriverSearchFormsTest, DoesNotReduceWhereAccessesGoByUnseen) {
  const auto image = Load("returns_another_status.plain");
  ASSERT_NE(image, nullptr);
  ASSERT_FALSE(image->instrumented());
  DriverRunner runner(image.get());
  EXPECT_FALSE(runner.sees_all_accesses());
  const std::string program =
      "open 0\n"
      "fiber 0\n"
      "  read 0 0 out=16\n"
      "fiber 1\n"
      "  read 1 0 out=16\n";
  const Found unseen = SearchAll(ProgramOf(program), &runner);
  EXPECT_TRUE(unseen.complete) << unseen.bound;
  const auto seen_image = Load("returns_another_status.repaired");
  DriverRunner seen_runner(seen_image.get());
  const Found seen = SearchAll(ProgramOf(program), &seen_runner);
  EXPECT_EQ(seen.outcomes, unseen.outcomes);
  // All orders of the points of two fibers, of which most swap what is independent.
  EXPECT_GT(unseen.runs, 2 * seen.runs);
}

TEST(ToldTest, NamesServicesThatThereAre) {
  int known = 0;
#define CANCELSAFE_TOLD(kind, name)                      \
  EXPECT_NE(FindService(#name), nullptr) << #name;       \
  EXPECT_EQ(ToldKindOf(#name), ToldKind::kind) << #name; \
  ++known;
#include "fuzzers/drivers/world/told.def"
#undef CANCELSAFE_TOLD
  EXPECT_GT(known, 0);
  EXPECT_EQ(ToldKindOf("IoCallDriver"), ToldKind::kAnything);
}

}  // namespace
}  // namespace cancelsafe::drivers
