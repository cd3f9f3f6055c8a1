// The table of rules, and verdicts as lines.
#include "oracle/verdict.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <tuple>

#include "oracle/check.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

std::set<std::string> Clauses() {
  std::ifstream file(std::string(CANCELSAFE_ROOT) + "/conformance/clause_ids.txt");
  std::set<std::string> clauses;
  for (std::string line; std::getline(file, line);) clauses.insert(line.substr(0, line.find(' ')));
  return clauses;
}

TEST(RuleTableTest, EveryClauseIsOneOfTheCatalogue) {
  const std::set<std::string> clauses = Clauses();
  ASSERT_GT(clauses.size(), 100u);
  for (int i = 0; i < kRuleCount; ++i) {
    for (int family = 0; family < kFamilyCount; ++family) {
      const char* clause = RuleClause(static_cast<Rule>(i), static_cast<Family>(family));
      if (clause != nullptr) EXPECT_EQ(clauses.count(clause), 1u) << clause;
    }
  }
}

TEST(RuleTableTest, RowsOfOneNameAreToldApart) {
  std::set<std::tuple<std::string, VerdictKind, Seen, std::string>> rows;
  for (int i = 0; i < kRuleCount; ++i) {
    const RuleRow& row = RuleInfo(static_cast<Rule>(i));
    EXPECT_TRUE(rows.emplace(row.name, row.kind, row.seen, row.demand).second) << row.name;
    EXPECT_NE(row.kind, VerdictKind::kPass) << row.name;
    // A verdict that says nothing about the implementation has no severity, others have.
    const bool silent = row.kind == VerdictKind::kUnknown || row.kind == VerdictKind::kDiverged;
    EXPECT_EQ(row.severity == Severity::kNone, silent) << row.name;
  }
}

TEST(RuleTableTest, WhatTheOracleFiltersIsWhatItSees) {
  for (int i = 0; i < kRuleCount; ++i) {
    const Seen seen = RuleInfo(static_cast<Rule>(i)).seen;
    EXPECT_EQ(seen == Seen::kEvent || seen == Seen::kCall || seen == Seen::kItem,
              i < kFilteredRules)
        << RuleInfo(static_cast<Rule>(i)).name;
  }
}

TEST(RuleTableTest, EveryRowCanBeIgnoredByNameAndByKind) {
  for (int i = 0; i < kRuleCount; ++i) {
    const Verdict verdict = MakeVerdict(static_cast<Rule>(i), Family::kCsq);
    IgnoreSet by_name;
    EXPECT_TRUE(by_name.Add(verdict.rule)) << verdict.rule;
    EXPECT_TRUE(by_name.Covers(verdict)) << verdict.rule;
    IgnoreSet by_kind;
    const bool allowed = verdict.kind != VerdictKind::kUnknown;
    EXPECT_EQ(by_kind.Add(VerdictKindName(verdict.kind)), allowed) << verdict.rule;
    EXPECT_EQ(by_kind.Covers(verdict), allowed) << verdict.rule;
  }
  EXPECT_FALSE(IgnoreSet().Add("no-such-rule"));
  EXPECT_FALSE(IgnoreSet().Add("pass"));
}

TEST(RuleTableTest, TheRoutineThatNoticesChoosesTheClause) {
  const auto clause = [](const char* name, const char* routine, Family family) {
    Rule rule = Rule::kQueueArgument;
    EXPECT_TRUE(FindKernelRule(name, routine, &rule)) << name;
    return MakeVerdict(rule, family).clause;
  };
  EXPECT_EQ(clause("irql-not-dispatch", "KeAcquireSpinLockAtDpcLevel", Family::kDeviceQueue),
            "DQ-ENTRY-07");
  EXPECT_EQ(clause("irql-not-dispatch", "IoReleaseCancelSpinLock", Family::kStartIo), "IRP-CSL-03");
  EXPECT_EQ(clause("lock-not-owned", "KeReleaseSpinLock", Family::kStartIo), "DQ-INS-07");
  EXPECT_EQ(clause("lock-wrong-irql", "KeReleaseSpinLock", Family::kCsq), "CSQ-CB-06");
  EXPECT_EQ(clause("use-after-completion", "IoSetCancelRoutine", Family::kStartIo), "IRP-COMP-02");
  EXPECT_EQ(clause("irql-too-high", "IoCompleteRequest", Family::kCsq), "IRP-COMP-03");
  Rule rule = Rule::kQueueArgument;
  EXPECT_FALSE(FindKernelRule("lost-item", "KeReleaseSpinLock", &rule));
}

TEST(VerdictTest, EveryKindHasANameOfItsOwn) {
  for (int i = 0; i < kVerdictKindCount; ++i) {
    const auto kind = static_cast<VerdictKind>(i);
    VerdictKind found = VerdictKind::kPass;
    EXPECT_TRUE(VerdictKindOf(VerdictKindName(kind), &found));
    EXPECT_EQ(found, kind);
  }
  VerdictKind unchanged = VerdictKind::kLeak;
  EXPECT_FALSE(VerdictKindOf("", &unchanged));
  EXPECT_EQ(unchanged, VerdictKind::kLeak);
}

TEST(VerdictTest, ALineCanBeReadBack) {
  for (int i = 0; i < kRuleCount; ++i) {
    for (int family = 0; family < kFamilyCount; ++family) {
      for (const char* reason : {"", "a: (b) [c] and d", "VERDICT of another"}) {
        Verdict verdict = MakeVerdict(static_cast<Rule>(i), static_cast<Family>(family));
        verdict.reason = reason;
        Verdict read;
        ASSERT_TRUE(ParseVerdictLine("file.txt: " + VerdictLine(verdict) + "\nmore: x", &read));
        EXPECT_TRUE(SameFinding(verdict, read)) << VerdictLine(verdict);
        EXPECT_EQ(read.reason, verdict.reason);
        EXPECT_EQ(VerdictLine(read), VerdictLine(verdict));
      }
    }
  }
}

TEST(VerdictTest, WhatALineMayLackAndWhatIsNoLine) {
  Verdict verdict;
  ASSERT_TRUE(ParseVerdictLine("VERDICT pass [3 operations, 1 fiber]", &verdict));
  EXPECT_TRUE(verdict.ok());
  ASSERT_TRUE(ParseVerdictLine("VERDICT crash (signal-6): x", &verdict));
  EXPECT_EQ(verdict.rule, "signal-6");
  EXPECT_EQ(verdict.severity, Severity::kMemory);
  ASSERT_TRUE(ParseVerdictLine("VERDICT rule CSQ-1", &verdict));
  EXPECT_EQ(verdict.clause, "CSQ-1");
  EXPECT_EQ(verdict.rule, "");
  const Verdict before = verdict;
  for (const char* text : {"", "VERDICT ", "VERDICT nonsense (x): y", "verdict pass"}) {
    EXPECT_FALSE(ParseVerdictLine(text, &verdict)) << text;
    EXPECT_TRUE(SameFinding(verdict, before)) << text;
  }
}

TEST(VerdictTest, TheKeyIsKindAndClauseOrElseRule) {
  EXPECT_EQ(VerdictKey(MakeVerdict(Rule::kLostItem, Family::kCsq)), "lost-item CSQ-INV-01");
  EXPECT_EQ(VerdictKey(MakeVerdict(Rule::kDeadlock, Family::kCsq)), "deadlock (deadlock)");
  EXPECT_EQ(VerdictKey(MakeVerdict(Rule::kSanitizerMemory, Family::kCsq, "heap-use-after-free")),
            "memory-error (heap-use-after-free)");
  EXPECT_EQ(VerdictKey(Verdict()), "pass");
}

TEST(VerdictTest, RacesAtOtherPlacesAreOtherFindings) {
  Verdict a = MakeVerdict(Rule::kDataRace, Family::kCsq);
  Verdict b = a;
  a.reason = "here";
  b.reason = "there";
  EXPECT_FALSE(SameFinding(a, b));
  a = b = MakeVerdict(Rule::kLostItem, Family::kCsq);
  a.reason = "item 1";
  EXPECT_TRUE(SameFinding(a, b));
}

}  // namespace
}  // namespace cancelsafe
