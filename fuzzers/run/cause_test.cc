// Causes: which verdicts are one, and that --ignore with a cause's name covers it alone.
#include "fuzzers/run/cause.h"

#include <gtest/gtest.h>

#include "oracle/check.h"

namespace cancelsafe {
namespace {

Verdict Race(const std::string& one, const std::string& other) {
  Verdict verdict = MakeVerdict(Rule::kDataRace, Family::kCsq);
  verdict.reason = "no happens-before between read of 8 bytes in " + one + " and write in " + other;
  return verdict;
}

TEST(CauseTest, SitesAreReadFromTheReason) {
  const std::vector<VerdictSite> sites =
      SitesOf(Race("Queue::Peek impl/mine.c:12", "(anonymous namespace)::Put(int, long) mine.c:7"));
  ASSERT_EQ(2u, sites.size());
  EXPECT_EQ("Queue::Peek", sites[0].function);
  EXPECT_EQ("mine.c:12", sites[0].line);
  EXPECT_EQ("(anonymous namespace)::Put(int, long)", sites[1].function);
  EXPECT_EQ("mine.c:7", sites[1].line);
  EXPECT_TRUE(SitesOf(MakeVerdict(Rule::kDeadlock, Family::kCsq)).empty());
}

TEST(CauseTest, RacesInOtherFunctionsAreOtherCauses) {
  const Verdict race = Race("Peek mine.c:12", "Put mine.c:7");
  EXPECT_EQ(CauseKey(race), CauseKey(Race("Peek mine.c:14", "Put mine.c:7")));
  EXPECT_NE(CauseKey(race), CauseKey(Race("Take mine.c:20", "Put mine.c:7")));
}

TEST(CauseTest, IgnoringACauseCoversItAlone) {
  const Verdict race = Race("Peek mine.c:12", "(anonymous namespace)::Put() mine.c:7");
  IgnoreSet ignore;
  ASSERT_TRUE(ignore.Add(CauseAsIgnore(race))) << CauseAsIgnore(race);
  EXPECT_TRUE(ignore.Covers(race));
  EXPECT_TRUE(ignore.Covers(Race("Peek mine.c:13", "(anonymous namespace)::Put() mine.c:7")));
  EXPECT_FALSE(ignore.Covers(Race("Peek mine.c:12", "Take mine.c:77")));
  EXPECT_FALSE(ignore.Covers(MakeVerdict(Rule::kDeadlock, Family::kCsq)));
  EXPECT_EQ(0u, ignore.RuleMask(Family::kCsq)) << "no rule is left out as a whole";
}

TEST(CauseTest, CrashesAtOtherPlacesAreOtherCauses) {
  const auto crash = [](const char* word, const char* place) {
    Verdict verdict = MakeVerdict(Rule::kSignal, Family::kCsq, word);
    verdict.reason = std::string("the implementation crashed in ") + place;
    return verdict;
  };
  const Verdict peek = crash("signal-11", "Peek mine.c:12");
  EXPECT_EQ(CauseKey(peek), CauseKey(crash("signal-11", "Peek mine.c:14")));
  EXPECT_NE(CauseKey(peek), CauseKey(crash("signal-11", "Take mine.c:20")));
  EXPECT_NE(CauseKey(peek), CauseKey(crash("signal-8", "Peek mine.c:12")));
  for (const char* word : {"signal-11", "heap-use-after-free", "a-new-word-of-a-sanitizer"}) {
    IgnoreSet ignore;
    EXPECT_TRUE(ignore.Add(CauseAsIgnore(crash(word, "Peek mine.c:12")))) << word;
    EXPECT_TRUE(ignore.Covers(crash(word, "Peek mine.c:14"))) << word;
    EXPECT_FALSE(ignore.Covers(crash(word, "Take mine.c:20"))) << word;
    EXPECT_FALSE(ignore.Covers(Race("Peek mine.c:12", "Put mine.c:7"))) << word;
  }
}

TEST(CauseTest, IgnoreTakesAFunctionOrALine) {
  const Verdict race = Race("Peek impl/mine.c:12", "put mine.c:7");
  for (const char* entry : {"Peek", "put()", "mine.c:12", "impl/mine.c:12", "data-race+Peek"}) {
    IgnoreSet ignore;
    EXPECT_TRUE(ignore.Add(entry)) << entry;
    EXPECT_TRUE(ignore.Covers(race)) << entry;
  }
  for (const char* entry : {"Pee", "ine.c:12", "mine.c:1", "deadlock+Peek"}) {
    IgnoreSet ignore;
    EXPECT_TRUE(ignore.Add(entry)) << entry;
    EXPECT_FALSE(ignore.Covers(race)) << entry;
  }
  for (const char* entry : {"", "dedlock", "data-rase", "+Peek", "Peek+", "data-race+dedlock"}) {
    EXPECT_FALSE(IgnoreSet().Add(entry)) << entry;
  }
}

}  // namespace
}  // namespace cancelsafe
