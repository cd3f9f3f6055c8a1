// The catalogue as data: ids and kinds are permanent, and every clause is a
// caller contract, or checked, or says why it cannot be.
#include "conformance/report/catalogue.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_split.h"
#include "conformance/suite/runner.h"

namespace cancelsafe::conformance {
namespace {

std::set<std::string> ClausesOfCases() {
  std::set<std::string> clauses;
  for (int i = 0; i < suite::CaseCount(); ++i) {
    for (absl::string_view clause : absl::StrSplit(suite::CaseAt(i).clauses, ' ')) {
      clauses.insert(std::string(clause));
    }
  }
  return clauses;
}

TEST(CatalogueTest, IdsAndKindsAreThoseOnceGivenOut) {
  std::ifstream file(CANCELSAFE_CLAUSE_IDS);
  std::vector<std::string> frozen;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind('#', 0) != 0) frozen.push_back(line);
  }
  ASSERT_GE(frozen.size(), 387u);
  std::vector<std::string> now;
  for (const Clause& clause : Catalogue()) now.push_back(clause.id + " " + clause.kind);
  EXPECT_EQ(now, frozen);
}

TEST(CatalogueTest, IdsAreUnique) {
  std::set<std::string> ids;
  for (const Clause& clause : Catalogue()) EXPECT_TRUE(ids.insert(clause.id).second) << clause.id;
}

TEST(CatalogueTest, EveryClauseSaysHowItIsChecked) {
  const std::set<std::string> checked = ClausesOfCases();
  int contracts = 0;
  for (const Clause& clause : Catalogue()) {
    EXPECT_FALSE(clause.rule.empty()) << clause.id;
    EXPECT_FALSE(clause.source.empty()) << clause.id;
    const bool contract = clause.kind == "caller-contract";
    contracts += contract;
    const bool of_drivers = clause.id.rfind("DRV-", 0) == 0;
    EXPECT_EQ(clause.kind == "driver-rule", of_drivers) << clause.id;
    EXPECT_EQ(clause.check == "drivers", of_drivers) << clause.id;
    EXPECT_EQ(clause.name.empty(), !of_drivers) << clause.id;
    if (of_drivers) {
      EXPECT_EQ(checked.count(clause.id), 0u) << clause.id << " has a case";
    } else if (clause.check == "cases") {
      EXPECT_EQ(checked.count(clause.id), 1u) << clause.id << " has no case";
    } else {
      EXPECT_EQ(checked.count(clause.id), 0u) << clause.id << " has a case";
      EXPECT_EQ(clause.check, contract ? "caller-contract" : "not-observable") << clause.id;
      EXPECT_TRUE(contract || !clause.reason.empty()) << clause.id << " needs a reason";
    }
  }
  EXPECT_EQ(contracts, 61);
  EXPECT_GE(checked.size(), 300u);
}

TEST(CatalogueTest, CasesNameKnownClausesAndHaveIdsOfTheirOwn) {
  std::set<std::string> ids;
  for (const std::string& id : ClausesOfCases()) EXPECT_NE(FindClause(id), nullptr) << id;
  for (int i = 0; i < suite::CaseCount(); ++i) {
    EXPECT_TRUE(ids.insert(suite::CaseAt(i).id).second) << suite::CaseAt(i).id;
    EXPECT_NE(std::string(suite::CaseAt(i).requirement), "");
  }
}

TEST(CatalogueTest, EveryAmbiguityHasItsQuestion) {
  for (const Clause& clause : Catalogue()) {
    for (const std::string& id : clause.ambiguity) EXPECT_NE(AmbiguityQuestion(id), "") << id;
  }
}

}  // namespace
}  // namespace cancelsafe::conformance
