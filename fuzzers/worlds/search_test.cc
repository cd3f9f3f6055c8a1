// Searching worlds: what is left out would have changed nothing, the built-in queues are
// clean, broken ones are found with a smallest program, and parts add up to the whole.
#include "fuzzers/worlds/search.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/random.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/run_testing.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/tools/crew.h"
#include "fuzzers/worlds/search_worlds.h"
#include "fuzzers/worlds/worlds.h"
#include "fuzzers/worlds/worth.h"
#include "gmock/gmock.h"
#include "impl/include/csq.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

class SearchTest : public testing::TestWithParam<int> {
 protected:
  Scope ScopeOf(int fibers, int calls, int items, int settings) const {
    return {FamilyNumber(GetParam()), fibers, calls, items, settings};
  }
};

WorldsEnd RunAll(const WorldsPlan& plan, const Implementation& implementation) {
  const StopSignals stop;
  const absl::StatusOr<WorldsEnd> end =
      SearchWorlds(plan, implementation, SearchOptions(RunnerOptions()), stop);
  EXPECT_TRUE(end.ok()) << end.status();
  return end.ok() ? *end : WorldsEnd();
}

std::string TextOf(const World& world) {
  Program program;
  ToProgram(world, &program);
  return PrintProgram(program);
}

// Everything that happened before the queues were emptied.
uint64_t CourseOf(const History& history) {
  uint64_t hash = 1;
  const auto add = [&hash](int64_t value) {
    hash = (hash ^ static_cast<uint64_t>(value)) * 0x100000001b3u;
  };
  const auto is_before = [&](uint32_t sequence) {
    return history.drain_begin == 0 || sequence < history.drain_begin;
  };
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    if (!is_before(call.begin)) continue;
    for (const int64_t value :
         {int64_t{call.fiber}, static_cast<int64_t>(call.operation.op), int64_t{call.begin},
          int64_t{call.end}, int64_t{call.outcome.value}}) {
      add(value);
    }
  }
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (!is_before(event.sequence)) continue;
    for (const int64_t value :
         {static_cast<int64_t>(event.kind), int64_t{event.item}, int64_t{event.snapshot},
          int64_t{event.status}, int64_t{event.irql}}) {
      add(value);
    }
  }
  return hash;
}

// What happens under each schedule with one preemption: all of it, or what does not
// depend on the number of queues.
std::vector<uint64_t> CoursesOf(Runner* runner, const World& world, bool all) {
  Program program;
  ToProgram(world, &program);
  schedule::ExploreOptions options;
  options.preemptions = 1;
  options.reduce = false;
  schedule::Explorer explorer(options);
  std::vector<uint64_t> courses;
  while (explorer.Next()) {
    runner->RunWith(&explorer, program, schedule::RunOptions());
    explorer.Finished(runner->output().schedule);
    courses.push_back(all ? runner->Digest() : CourseOf(runner->history()));
  }
  return courses;
}

TEST_P(SearchTest, ASettingThatIsLeftOutChangesNothing) {
  const Scope plain = ScopeOf(2, 1, 2, 0);
  Bench bench(plain.family);
  const std::vector<WorldSetup> setups = SetupsWithin(ScopeOf(2, 1, 2, 1), 3);
  int compared = 0;
  Worlds worlds(plain);
  while (worlds.Next()) {
    const std::vector<uint64_t> courses = CoursesOf(&bench.runner(), worlds.world(), true);
    const std::vector<uint64_t> undrained = CoursesOf(&bench.runner(), worlds.world(), false);
    for (const WorldSetup& setup : setups) {
      World other = worlds.world();
      other.setup = setup.setup;
      other.irql = setup.irql;
      const char* const why = WhySettingsLeftOut(other);
      if (why == nullptr) continue;
      ++compared;
      // Of two queues, both are emptied.
      const bool two = setup.setup.two_queues;
      EXPECT_EQ(CoursesOf(&bench.runner(), other, !two), two ? undrained : courses)
          << why << "\n"
          << TextOf(other);
    }
  }
  EXPECT_GT(compared, 0);
}

// A world of this shape, with any operations on the plain queue.
World RandomWorld(Random* random, Family family, int fibers, int calls) {
  World world;
  world.setup = InfoOf(family).setup;
  world.fibers = fibers;
  world.calls = fibers * calls;
  const OperationList& list = OperationsOf(family);
  for (int i = 0; i < world.calls; ++i) {
    Operation& operation = world.operations[i];
    operation = Operation();
    operation.op = list.ops[random->Below(list.count)];
    const FieldMasks fields = FieldsOf(world.setup, operation.op);
    operation.item = static_cast<uint8_t>(random->Below(2) & fields.item);
    operation.flags = static_cast<uint8_t>(random->Below(32) & fields.flags);
    world.fiber_of[i] = static_cast<uint8_t>(i / calls);
  }
  return world;
}

TEST_P(SearchTest, ThePlainQueueIsNeverLeftOut) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const World world = RandomWorld(&random, FamilyNumber(GetParam()), 2, 1 + i % 2);
    EXPECT_EQ(WhySettingsLeftOut(world), nullptr) << TextOf(world);
  }
}

// Reasons that say that the driver would skip a call.
bool IsSkip(absl::string_view why) {
  for (const absl::string_view skip :
       {"the item is in use", "no insert has filled in the context", "the queue is idle",
        "no packet is started", "attributes stay as they are once a packet was started"}) {
    if (why == skip) return true;
  }
  return false;
}

TEST_P(SearchTest, ACallThatIsLeftOutIsSkippedUnderEverySchedule) {
  Bench bench(FamilyNumber(GetParam()));
  Random random(2);
  int looked = 0;
  for (int i = 0; i < 4000 && looked < 150; ++i) {
    const World world = RandomWorld(&random, bench.runner().family(), 2, 2);
    const char* const why = WhyCallsLeftOut(world);
    if (why == nullptr || !IsSkip(why)) continue;
    ++looked;
    Program program;
    ToProgram(world, &program);
    schedule::ExploreOptions options;
    options.preemptions = 2;
    options.reduce = false;
    schedule::Explorer explorer(options);
    bool always = true;
    while (explorer.Next() && always) {
      bench.runner().RunWith(&explorer, program, schedule::RunOptions());
      explorer.Finished(bench.runner().output().schedule);
      always = bench.runner().output().skipped_operations > 0;
    }
    EXPECT_TRUE(always) << why << "\n" << TextOf(world);
  }
  EXPECT_EQ(looked, 150);
}

TEST_P(SearchTest, TheBuiltInQueueIsCleanInTheSmallestScope) {
  WorldsPlan plan;
  plan.scope = ScopeOf(2, 1, 1, 1);
  plan.jobs = 2;
  const WorldsEnd end = RunAll(plan, BuiltInImplementation());
  EXPECT_EQ(end.violation, -1);
  EXPECT_TRUE(end.result.all);
  EXPECT_EQ(end.result.tally.programs, CountWorlds(plan.scope));
  EXPECT_EQ(end.result.next, end.result.tally.programs);
  EXPECT_EQ(end.result.tally.unfinished, 0);
  EXPECT_EQ(end.result.tally.left_out.unknown, 0);
  EXPECT_GT(end.result.tally.executions, end.result.tally.programs);
}

// However many machines and processes there are, and wherever one of them stopped.
TEST_P(SearchTest, PartsAddUpToTheWhole) {
  WorldsPlan plan;
  plan.scope = ScopeOf(2, 1, 2, 0);
  const VerifyResult whole = RunAll(plan, BuiltInImplementation()).result;
  std::vector<VerifyResult> parts;
  for (int shard = 1; shard <= 3; ++shard) {
    plan.shard = {shard, 3};
    plan.jobs = shard;
    parts.push_back(RunAll(plan, BuiltInImplementation()).result);
  }
  const absl::StatusOr<std::vector<VerifyResult>> merged = MergeResults(parts);
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ(merged->size(), 1u);
  const VerifyResult& sum = (*merged)[0];
  EXPECT_EQ(sum.tally.programs, whole.tally.programs);
  EXPECT_EQ(sum.tally.executions, whole.tally.executions);
  EXPECT_EQ(sum.tally.digest, whole.tally.digest);
  EXPECT_NE(sum.tally.digest, 0u);
  EXPECT_NE(parts[0].tally.digest, parts[1].tally.digest);
  EXPECT_EQ(sum.next, whole.next);
}

// Where it stops is a matter of the machine; that nothing is lost or done twice is not.
TEST(CrewTest, KeepsWhatItHasWhenItIsStopped) {
  WorldsPlan plan;
  plan.scope = {Family::kCsq, 2, 1, 2, 1};
  plan.jobs = 1;
  const VerifyResult whole = RunAll(plan, BuiltInImplementation()).result;
  std::vector<VerifyResult> parts;
  {
    const StopSignals stop;
    raise(SIGINT);
    const absl::StatusOr<WorldsEnd> end =
        SearchWorlds(plan, BuiltInImplementation(), SearchOptions(RunnerOptions()), stop);
    ASSERT_TRUE(end.ok()) << end.status();
    parts.push_back(end->result);
  }
  ASSERT_FALSE(parts[0].all);
  EXPECT_EQ(parts[0].stopped_by, "Ctrl-C");
  EXPECT_EQ(parts[0].tally.programs, parts[0].next);
  plan.from = parts[0].next;
  parts.push_back(RunAll(plan, BuiltInImplementation()).result);
  const absl::StatusOr<std::vector<VerifyResult>> merged = MergeResults(parts);
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ((*merged)[0].tally.executions, whole.tally.executions);
  EXPECT_EQ((*merged)[0].tally.digest, whole.tally.digest);
}

TEST(CrewTest, AWorkerThatCrashesOutsideOfItsTasksHasFoundNothing) {
  CrewPlan plan;
  plan.jobs = 2;
  const StopSignals stop;
  const absl::StatusOr<CrewEnd> end = RunCrew(
      plan,
      [](CrewMember* member) -> CrewTask {
        if (member->number() == 0) abort();
        return [member](int64_t task) { return task < 3 ? TaskEnd::kDone : member->NoTaskFrom(3); };
      },
      [](int64_t, int64_t) {}, stop);
  ASSERT_FALSE(end.ok()) << end->found;
  EXPECT_THAT(std::string(end.status().message()), testing::HasSubstr("outside of a task"));
}

INSTANTIATE_TEST_SUITE_P(AllFamilies, SearchTest, testing::Range(0, kFamilyCount),
                         [](const testing::TestParamInfo<int>& info) {
                           return std::string(FamilyFileName(FamilyNumber(info.param)));
                         });

// An IRP that was cancelled before it is inserted stays queued.
void CancelForgettingInsert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  const bool cancelled = irp->Cancel != FALSE;
  irp->Cancel = FALSE;
  BuiltInImplementation().IoCsqInsertIrp(csq, irp, context);
  if (cancelled) irp->Cancel = TRUE;
}

TEST(BrokenQueue, IsFoundWithASmallestProgram) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqInsertIrp = &CancelForgettingInsert;
  for (const int jobs : {1, 3}) {
    WorldsPlan plan;
    plan.scope = {Family::kCsq, 2, 2, 2, 1};
    plan.jobs = jobs;
    const WorldsEnd end = RunAll(plan, broken);
    ASSERT_GE(end.violation, 0);
    Worlds worlds(plan.scope);
    while (worlds.index() < end.violation) ASSERT_TRUE(worlds.Next());
    // Each smaller one passes, and this one fails in this process too.
    EXPECT_EQ(worlds.world().calls, 2) << TextOf(worlds.world());
    Bench bench(Family::kCsq, broken, SearchOptions(RunnerOptions()));
    Tally tally;
    EXPECT_EQ(SearchWorld(&bench.runner(), worlds.world(), &tally), SearchEnd::kViolation);
    EXPECT_EQ(bench.runner().output().verdict.kind, VerdictKind::kNotLinearizable)
        << VerdictLine(bench.runner().output().verdict);
    Worlds before(plan.scope);
    while (before.Next() && before.index() < end.violation) {
      EXPECT_EQ(SearchWorld(&bench.runner(), before.world(), &tally), SearchEnd::kPassed);
    }
  }
}

TEST(BrokenQueue, ThatTakesItsProcessDownIsAViolationOfItsProgram) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqRemoveIrp = [](PIO_CSQ, PIO_CSQ_IRP_CONTEXT) -> PIRP { abort(); };
  WorldsPlan plan;
  plan.scope = {Family::kCsq, 2, 1, 1, 0};
  plan.jobs = 2;
  const WorldsEnd end = RunAll(plan, broken);
  Worlds worlds(plan.scope);
  while (worlds.index() < end.violation) ASSERT_TRUE(worlds.Next());
  ASSERT_GE(end.violation, 0);
  EXPECT_EQ(worlds.world().operations[1].op, Op::kRemove) << TextOf(worlds.world());
}

}  // namespace
}  // namespace cancelsafe
