// The table of which scope kills which mutant: how scopes are read, and how results are told.
#include "fuzzers/mutants/by_verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cancelsafe {
namespace {

using ::testing::HasSubstr;

TEST(ByVerify, ScopesAreReadInTheirOrder) {
  const auto scopes = ParseScopes("1x1,3x2:rc11,2x2:settings=0:items=3");
  ASSERT_TRUE(scopes.ok()) << scopes.status();
  ASSERT_EQ(scopes->size(), 3u);
  EXPECT_EQ((*scopes)[0].Name(), "1x1");
  EXPECT_EQ((*scopes)[1].Name(), "3x2 rc11");
  EXPECT_EQ((*scopes)[1].fibers, 3);
  EXPECT_EQ((*scopes)[1].calls, 2);
  EXPECT_EQ((*scopes)[2].Name(), "2x2 settings=0 items=3");
  for (const char* const wrong :
       {"", "2", "2x", "x1", "5x1", "2x0", "2x1:pso", "2x1:", "2x1:items=7", "2x1:settings=x",
        "2x1:operations=", "2x1:operations=insert+queue-insert"}) {
    EXPECT_THAT(std::string(ParseScopes(wrong).status().message()), HasSubstr("is not a scope"))
        << wrong;
  }
}

TEST(ByVerify, AScopeOfOperationsIsOfTheirFamilies) {
  const auto scopes = ParseScopes("1x5:items=4:operations=queue-insert-by-key+queue-remove-entry");
  ASSERT_TRUE(scopes.ok()) << scopes.status();
  const ScopeToTry& scope = (*scopes)[0];
  EXPECT_EQ(scope.Name(), "1x5 items=4 operations=queue-insert-by-key+queue-remove-entry");
  EXPECT_TRUE(scope.IsOf(Family::kDeviceQueue));
  EXPECT_FALSE(scope.IsOf(Family::kCsq));
  EXPECT_TRUE(ScopeToTry().IsOf(Family::kCsq));
}

TEST(ByVerify, APlotAddsUpWhatTheScopesKill) {
  const std::vector<ScopeToTry> scopes = *ParseScopes("1x1,2x1");
  std::vector<VerifiedMutant> all(3);
  all[0].scope = 0;
  all[1].scope = 1;
  const std::string script = VerifiedPlot(all, scopes, "out.svg");
  EXPECT_THAT(script, HasSubstr("0 0 1 \"1x1\"\n1 1 2 \"2x1\"\n"));
  EXPECT_THAT(script, HasSubstr("set output 'out.svg'"));
}

TEST(ByVerify, AMutantThatNoScopeKillsIsCountedAsSuch) {
  const std::vector<ScopeToTry> scopes = *ParseScopes("1x1,2x1");
  VerifiedMutant killed;
  killed.mutant.id = "a";
  killed.scope = 1;
  killed.program = 17;
  killed.rule = "linearizability";
  VerifiedMutant survivor = killed;
  survivor.scope = -1;
  survivor.rule = "";
  const std::vector<VerifiedMutant> all = {killed, survivor};
  EXPECT_EQ(VerifiedSummary(all, scopes), "1 of 2 mutants killed: 0 by 1x1, 1 by 2x1");
  EXPECT_THAT(VerifiedLine(killed, scopes, 4), HasSubstr("a     2x1       program 17"));
  EXPECT_THAT(VerifiedLine(survivor, scopes, 4), HasSubstr("survives"));
  const std::string table = VerifiedMarkdown(all, scopes, "x");
  EXPECT_THAT(table, HasSubstr("| a | 2x1 | 17 | linearizability |"));
  EXPECT_THAT(table, HasSubstr("| a | none of these |  |  |"));
}

}  // namespace
}  // namespace cancelsafe
