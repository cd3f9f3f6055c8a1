// Explanations of runs whose course is known.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cancelsafe/scenario.h"
#include "fuzzers/explain/generated_test.h"
#include "fuzzers/explain/guilty.h"
#include "fuzzers/explain/page.h"
#include "fuzzers/explain/scene.h"
#include "fuzzers/explain/story.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/timeline.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "oracle/describe.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

Observation ObserveText(const std::string& text,
                        const Implementation& implementation = BuiltInImplementation()) {
  const absl::StatusOr<Program> program = ParseProgram(text);
  EXPECT_TRUE(program.ok()) << program.status();
  const char* missing = nullptr;
  Runner runner(program->setup.family, implementation, RunnerOptions(), &missing);
  EXPECT_EQ(missing, nullptr);
  return Observe(&runner, *program);
}

// Fiber 1 cancels while fiber 0, inserting, holds the queue lock.
constexpr char kCancelDuringInsert[] =
    "target csq\nfiber 0\n  insert 0\nfiber 1\n  cancel 0\nchoices 6:1\n";

PKDEVICE_QUEUE_ENTRY RemoveFirst(PKDEVICE_QUEUE queue, ULONG) {
  return BuiltInImplementation().KeRemoveDeviceQueue(queue);
}

Implementation Keyless() {
  Implementation table = BuiltInImplementation();
  table.KeRemoveByKeyDeviceQueue = &RemoveFirst;
  return table;
}

constexpr char kRemoveByKey[] =
    "target device-queue\nfiber 0\n  queue-insert 0\n  queue-insert-by-key 1 key=1\n"
    "  queue-insert-by-key 2 key=5\n  queue-remove-by-key key=5\n";

TEST(ObservationTest, SeesLocksWaitsAndOrderings) {
  const Observation observation = ObserveText(kCancelDuringInsert);
  ASSERT_TRUE(observation.closely);
  EXPECT_TRUE(observation.verdict.ok()) << observation.verdict.reason;
  EXPECT_EQ(Preemptions(observation), 1);
  EXPECT_EQ(observation.executed_operations, 2);
  std::vector<std::string> locks;
  for (const LockSpan& span : observation.locks) {
    EXPECT_TRUE(span.given_back);
    EXPECT_TRUE(span.taken < span.given);
    locks.push_back(absl::StrCat(span.fiber, " ", span.name));
  }
  EXPECT_THAT(locks, testing::IsSupersetOf({"0 queue lock", "1 queue lock", "1 cancel lock"}));
  bool ordered = false;
  for (const Ordering& ordering : observation.orderings) {
    EXPECT_NE(ordering.from_fiber, ordering.to_fiber);
    EXPECT_TRUE(ordering.from < ordering.to);
    ordered |= ordering.from_fiber == 0 && ordering.to_fiber == 1 && ordering.by == "queue lock";
  }
  EXPECT_TRUE(ordered);
}

TEST(ObservationTest, LookingCloselyChangesNothing) {
  for (const char* text : {kCancelDuringInsert, kRemoveByKey}) {
    const Observation observation = ObserveText(text);
    EXPECT_TRUE(observation.closely);
    EXPECT_EQ(observation.result.diverged_step, -1);
  }
}

TEST(ObservationTest, KnowsWhatWasMadeToEmptyTheQueue) {
  const Observation observation = ObserveText("target csq\nfiber 0\n  insert 3\n");
  ASSERT_GE(observation.history.call_count, 3);
  EXPECT_FALSE(observation.drained[0]);
  EXPECT_TRUE(observation.drained[1]);
  EXPECT_EQ(observation.executed_operations, 1);
}

TEST(StoryTest, MarksTheSwitchAndTheWait) {
  const std::string table = TableOf(ObserveText(kCancelDuringInsert));
  EXPECT_THAT(table, HasSubstr("> step 6: preempted before "));
  EXPECT_THAT(table, HasSubstr("~ waits for the queue lock of fiber 0"));
  EXPECT_THAT(table, HasSubstr("then the queue is emptied:"));
  for (const absl::string_view line : absl::StrSplit(table, '\n')) {
    EXPECT_TRUE(line.empty() || line.back() != ' ') << "'" << line << "'";
    EXPECT_LE(line.size(), 110u);
  }
}

TEST(StoryTest, LongTablesFoldWhatNothingInterrupted) {
  std::string text = "target csq\nfiber 0\n";
  for (int i = 0; i < 12; ++i) text += "  insert 0\n  remove-next\n";
  const std::string table = TableOf(ObserveText(text));
  EXPECT_THAT(table, HasSubstr("insert 0: A I0 U\n"));
  EXPECT_THAT(table, HasSubstr("remove-next: A P0 R0 U = item 0\n"));
  EXPECT_LE(std::count(table.begin(), table.end(), '\n'), 40);
}

TEST(StoryTest, TellsWhatWasAllowed) {
  const Observation observation = ObserveText(kRemoveByKey, Keyless());
  EXPECT_THAT(VerdictLineOf(observation), HasSubstr("not-linearizable"));
  EXPECT_THAT(VerdictLineOf(observation), HasSubstr("[4 operations, 1 fiber, 0 preemptions]"));
  EXPECT_THAT(StoryOf(observation), HasSubstr("longest order that works: "));
  EXPECT_EQ(observation.verdict.order, (std::vector<int>{0, 1, 2}));
}

TEST(GuiltyTest, NamesTheCallThatNothingExplains) {
  const Observation observation = ObserveText(kRemoveByKey, Keyless());
  const Guilty guilty = FindGuilty(observation.history, observation.verdict);
  EXPECT_TRUE(guilty.calls[3]);
  EXPECT_FALSE(guilty.calls[0] || guilty.calls[1] || guilty.calls[2]);
}

TEST(GuiltyTest, IsWhatTheVerdictIsAboutWhateverItsReasonSays) {
  const Observation observation = ObserveText("target csq\nfiber 0\n  insert 0\n  remove-next\n");
  ASSERT_EQ(observation.history.call_count, 3) << "with the one of the drain";
  // The reason quotes a call and an event that the verdict is not about.
  Verdict verdict = MakeVerdict(Rule::kLockHeld, Family::kCsq);
  verdict.reason = absl::StrCat(DescribeCall(observation.history, 0), "; ",
                                DescribeEvent(observation.history, observation.history.events[0]));
  verdict.event = 4;
  Guilty guilty = FindGuilty(observation.history, verdict);
  EXPECT_THAT(guilty.calls, Not(testing::Contains(true)));
  EXPECT_EQ(std::count(guilty.events.begin(), guilty.events.end(), true), 1);
  EXPECT_TRUE(guilty.events[4]);
  verdict.event = -1;
  verdict.call = 1;
  guilty = FindGuilty(observation.history, verdict);
  EXPECT_THAT(guilty.calls, testing::ElementsAre(false, true, false));
  verdict.call = -1;
  verdict.item = 0;
  guilty = FindGuilty(observation.history, verdict);
  EXPECT_TRUE(guilty.calls[1]) << "the last call that touches the item";
}

TEST(GuiltyTest, NobodyIsGuiltyOfAPass) {
  const Observation observation = ObserveText(kRemoveByKey);
  const Guilty guilty = FindGuilty(observation.history, observation.verdict);
  EXPECT_THAT(guilty.calls, Not(testing::Contains(true)));
}

TEST(SceneTest, EverythingLiesWithinItsRows) {
  const nlohmann::json scene = SceneOf(ObserveText(kCancelDuringInsert), "title");
  const double rows = scene["rows"];
  for (const auto& call : scene["calls"]) {
    EXPECT_GE(call["from"].get<int>(), 0);
    EXPECT_LE(call["from"].get<int>(), call["to"].get<int>());
    EXPECT_LT(call["to"].get<int>(), rows);
  }
  for (const char* spans : {"locks", "irql"}) {
    ASSERT_FALSE(scene[spans].empty());
    for (const auto& span : scene[spans]) {
      EXPECT_LE(span["from"].get<double>(), span["to"].get<double>());
      EXPECT_LE(span["to"].get<double>(), rows);
    }
  }
}

TEST(PageTest, DataCannotLeaveItsElement) {
  nlohmann::json scene = SceneOf(ObserveText(kRemoveByKey), "</script><b>&\"'");
  EXPECT_THAT(PageOf(scene), Not(HasSubstr("</script><b>")));
  EXPECT_THAT(PageOf(scene), HasSubstr("\\u003c/script>\\u003cb>"));
}

TEST(GeneratedTestTest, SpellsTheDocumentedCalls) {
  const absl::StatusOr<Program> program = ParseProgram(
      "target start-io\nfiber 0\n  set-attributes deferred\n  start-packet-by-key 2 key=7\n"
      "fiber 1\n  cancel 2 irql=dispatch\nchoices 3:1\n");
  ASSERT_TRUE(program.ok()) << program.status();
  GeneratedTestOptions options;
  options.verdict.kind = VerdictKind::kLostItem;
  options.verdict.clause = "SIO-1";
  options.verdict.rule = "lost";
  options.verdict.reason = "gone\\";
  const std::string text = GeneratedTest(*program, options);
  EXPECT_THAT(text, HasSubstr("TEST(StartIoRegression, LostItemSio1) {"));
  EXPECT_THAT(text, HasSubstr("step.IoSetStartIoAttributes({DeferredStartIo()});"));
  EXPECT_THAT(text, HasSubstr("step.IoStartPacketByKey(Item(2), {Key(0x7u)});"));
  EXPECT_THAT(text, HasSubstr("step.At(2).IoCancelIrp(Item(2));"));
  EXPECT_THAT(text, HasSubstr("scenario.Switches({{3, 1}});"));
  EXPECT_THAT(text, Not(HasSubstr("\\\n"))) << "would take the next line into the comment";
}

TEST(ScenarioTest, RunsStepsOnTheirFibers) {
  Scenario scenario("csq", "");
  scenario.Setup("queue ex insert=sorted peek=by-key lock=mutex status=pending");
  scenario.Fiber([](Steps& step) {
    step.IoCsqInsertIrpEx(Item(1), {WithContext(), Key(7)});
    step.At(1).IoCsqRemoveIrp(Item(1));
  });
  scenario.Fiber([](Steps& step) { step.IoCancelIrp(Item(1)); });
  scenario.Switches({{4, 1}});
  EXPECT_EQ(scenario.Run(), "");
}

TEST(ScenarioTest, MisuseIsTold) {
  EXPECT_THAT(Scenario("csq", "/missing.so").Run(), HasSubstr("missing.so"));
  EXPECT_THAT(Scenario("nonsense", "").Run(), HasSubstr("nonsense"));
  EXPECT_EQ(Scenario("csq", "").Run(), "a scenario has 1 to 4 fibers");
}

}  // namespace
}  // namespace cancelsafe
