// The quick look against the rules that it stands for, on real histories and on ones in
// which something was changed. Beside the runner, which makes them, since the oracle's
// own tests have none.
#include "oracle/quick_look.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "base/random.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/runner.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

bool RulesFindNothing(const History& history) {
  for (const bool portable : {false, true}) {
    RuleFilter filter;
    RuleFinding finding;
    RuleFinding figure;
    if (FindBrokenRule(history, portable, &filter, &finding, &figure)) return false;
    if (figure.event >= 0) return false;
    if (FindBrokenEnding(history, &filter, &finding)) return false;
  }
  return !history.truncated;
}

bool SameTraces(const History& history, const Trace* traces) {
  Trace expected[kMaxCalls];
  CollectTraces(history, expected);
  for (int i = 0; i < history.call_count; ++i) {
    if (traces[i] != expected[i]) return false;
  }
  return true;
}

// One member of one call or event becomes another legal value of its type.
void Spoil(Random* random, History* history) {
  if (history->event_count == 0 || random->OneIn(3)) {
    Call& call = history->calls[random->Below(history->call_count)];
    switch (random->Below(6)) {
      case 0:
        call.returned = false;
        break;
      case 1:
        ++call.irql_after;
        break;
      case 2:
        ++call.locks_after;
        break;
      case 3:
        call.outcome.value = random->Between(-2, kFewItems - 1);
        break;
      case 4:
        call.operation.op = static_cast<Op>(random->Below(kOpCount));
        break;
      default:
        call.operation.item = static_cast<uint8_t>(random->Below(kFewItems));
    }
    return;
  }
  CallbackEvent& event = history->events[random->Below(history->event_count)];
  switch (random->Below(7)) {
    case 0:
      event.kind =
          static_cast<CallbackKind>(random->Below(static_cast<int>(CallbackKind::kCompleted) + 1));
      break;
    case 1:
      event.item = random->OneIn(3) ? kNoItem : static_cast<uint8_t>(random->Below(kFewItems));
      break;
    case 2:
      event.after = static_cast<uint8_t>(random->Below(kFewItems));
      break;
    case 3:
      event.irql ^= 2;
      break;
    case 4:
      event.call = static_cast<uint8_t>(random->Below(history->call_count + 1));
      break;
    case 5:
      event.status = random->OneIn(2) ? -event.status : kStatusCancelled;
      break;
    default:
      event.snapshot ^= static_cast<uint16_t>(1 << random->Below(11));
  }
}

class QuickLookTest : public testing::TestWithParam<Family> {};

TEST_P(QuickLookTest, IsNeverContentWhereARuleIsBroken) {
  const char* missing = nullptr;
  Runner runner(GetParam(), BuiltInImplementation(), RunnerOptions(), &missing);
  ASSERT_EQ(missing, nullptr);
  const auto spoilt = std::make_unique<History>();
  int runs = 0, clean = 0, broken = 0, harmless = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    Program program;
    GenerateProgram(GetParam(), seed, &program);
    ASSERT_TRUE(runner.Run(program)) << "seed " << seed;
    if (runner.history().call_count == 0) continue;
    ++runs;
    Trace traces[kMaxCalls];
    if (LooksClean(runner.history(), traces)) {
      ++clean;
      ASSERT_TRUE(SameTraces(runner.history(), traces)) << "seed " << seed;
    }
    Random random(seed);
    for (int i = 0; i < 40; ++i) {
      *spoilt = runner.history();
      Spoil(&random, spoilt.get());
      const bool content = LooksClean(*spoilt, traces);
      const bool passes = RulesFindNothing(*spoilt);
      ASSERT_TRUE(passes || !content) << "seed " << seed << ", change " << i;
      if (content) ASSERT_TRUE(SameTraces(*spoilt, traces)) << "seed " << seed << ", " << i;
      broken += !passes;
      harmless += content;
    }
  }
  // It is worth having, and was put to the test.
  EXPECT_GT(clean * 2, runs);
  EXPECT_GT(broken, runs * 10);
  EXPECT_GT(harmless, runs);
}

INSTANTIATE_TEST_SUITE_P(Families, QuickLookTest,
                         testing::Values(Family::kCsq, Family::kCallbackDataQueue),
                         [](const testing::TestParamInfo<Family>& info) {
                           return std::string(info.param == Family::kCsq ? "csq" : "cbdq");
                         });

TEST(QuickLookOfOtherFamiliesTest, LeavesThemToTheRules) {
  const char* missing = nullptr;
  for (const Family family : {Family::kDeviceQueue, Family::kStartIo}) {
    Runner runner(family, BuiltInImplementation(), RunnerOptions(), &missing);
    Program program;
    GenerateProgram(family, 1, &program);
    ASSERT_TRUE(runner.Run(program));
    Trace traces[kMaxCalls];
    EXPECT_FALSE(LooksClean(runner.history(), traces));
  }
}

}  // namespace
}  // namespace cancelsafe
