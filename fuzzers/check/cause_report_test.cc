// Reports of causes, and what a baseline makes of them.
#include "fuzzers/check/cause_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/signals.h"
#include "command/status.h"
#include "fuzzers/check/baseline.h"
#include "fuzzers/check/check_report.h"
#include "fuzzers/check/parts.h"
#include "fuzzers/check/testdata/sample_cause.h"
#include "fuzzers/check/verify_part.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CauseReport, ABlockHasEverythingThatAReaderNeeds) {
  const std::string text = CauseText(1, SampleCause());
  for (const char* part :
       {"1. wrong result: CSQ-INSERT-05 (pending-missing) in IoCsqInsertIrp",
        "an inserted IRP is marked pending", "https://learn.microsoft.com", "csq.c:99",
        "1 operation\n", "insert 0", "replay:  /x/cancelsafe replay /x/cause-1.txt"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(CauseReport, AKnownCauseIsOneLine) {
  ReportedCause known = SampleCause();
  known.known = true;
  EXPECT_EQ(CauseText(2, known),
            "2. wrong result: CSQ-INSERT-05 (pending-missing) in IoCsqInsertIrp: known\n");
}

TEST(CauseReport, SarifHasOneResultPerCauseWithItsRuleAndPlace) {
  ReportedCause known = SampleCause();
  known.known = true;
  const nlohmann::json log = nlohmann::json::parse(CausesSarif({SampleCause(), known}, true));
  EXPECT_EQ(log["version"], "2.1.0");
  const nlohmann::json& run = log["runs"][0];
  ASSERT_EQ(run["results"].size(), 2U);
  ASSERT_EQ(run["tool"]["driver"]["rules"].size(), 1U) << "both break one";
  const nlohmann::json& result = run["results"][0];
  EXPECT_EQ(result["ruleId"], "CSQ-INSERT-05");
  EXPECT_EQ(result["ruleIndex"], 0);
  const nlohmann::json& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "csq.c");
  EXPECT_EQ(place["region"]["startLine"], 99);
  EXPECT_EQ(result["baselineState"], "new");
  EXPECT_EQ(run["results"][1]["baselineState"], "unchanged");
  EXPECT_THAT(CausesSarif({SampleCause()}, false), Not(HasSubstr("baselineState")));
}

TEST(VerifyPart, AViolationBecomesAFindingAndAnEndALine) {
  const VerifyOutcome found = ReadVerify(
      "x\nVERDICT rule CSQ-INSERT-05 (pending-missing): seen [1 operation]\nsaved:  ./a.txt\n", 1,
      "csq", "target csq\nfiber 0\n  insert 0\n");
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].verdict.clause, "CSQ-INSERT-05");
  EXPECT_EQ(found.findings[0].operations, 1);
  const VerifyOutcome clean = ReadVerify(
      "41 operations skipped\ncsq 2x1: 35 programs, complete, no violation\n", 0, "csq", "");
  EXPECT_TRUE(clean.findings.empty());
  EXPECT_TRUE(clean.complete);
  EXPECT_EQ(clean.line, "csq 2x1: 35 programs, complete, no violation");
}

TEST(VerifyPart, WhatCouldNotBeSearchedHasFailed) {
  EXPECT_FALSE(ReadVerify("csq 2x1: 35 programs, complete, no violation\n", 0, "csq", "").failed);
  const VerifyOutcome outcome =
      ReadVerify("cancelsafe verify: a process found a violation in program 7\n", 3, "csq", "");
  EXPECT_TRUE(outcome.failed);
  EXPECT_TRUE(ReadVerify("a violation that cannot be read", 1, "csq", "").failed);
}

TEST(CheckReport, AListThatIsNotWholeIsNoBaseline) {
  const std::string folder = testing::TempDir() + "interrupted_check";
  CheckRequest request;
  request.write_baseline = folder + "/baseline.txt";
  ASSERT_TRUE(MakeFolder(folder).ok());
  ASSERT_TRUE(WriteFileAtomically(request.write_baseline, "as it was\n").ok());
  CheckTotals totals;
  totals.interrupted = true;
  totals.not_begun = 3;
  EXPECT_EQ(ReportCheck(request, folder, {}, {}, totals), kExitInterrupted);
  EXPECT_EQ(ReadFile(request.write_baseline).value_or(""), "as it was\n");
}

// What was not reached is not gone, and a reader of the reports must not take it for clean.
TEST(CheckReport, APartThatEndedEarlyMakesNothingGone) {
  const std::string folder = testing::TempDir() + "part_of_a_check";
  ASSERT_TRUE(MakeFolder(folder).ok());
  CheckRequest request;
  request.baseline = folder + "/known.txt";
  request.write_baseline = folder + "/new.txt";
  unlink(request.write_baseline.c_str());  // of an earlier run of this test
  CheckTotals totals;
  totals.ended_early = 1;
  EXPECT_EQ(ReportCheck(request, folder, {}, {}, totals, {"rule A in f"}), kExitSetup);
  EXPECT_FALSE(ReadFile(request.write_baseline).ok());
  const std::string junit = ReadFile(folder + "/causes.xml").value_or("");
  EXPECT_THAT(junit, HasSubstr("errors=\"1\""));
  EXPECT_THAT(junit, HasSubstr("<error "));
  EXPECT_THAT(junit, Not(HasSubstr("gone")));
  const auto sarif = nlohmann::json::parse(ReadFile(folder + "/causes.sarif").value_or("{}"));
  EXPECT_FALSE(sarif["runs"][0]["invocations"][0]["executionSuccessful"].get<bool>());
  totals.ended_early = 0;
  EXPECT_EQ(ReportCheck(request, folder, {}, {}, totals, {"rule A in f"}), kExitViolation);
}

// The identity of a cause does not tell how many cases of the suite fail with it.
TEST(CheckReport, ACaseThatNewlyFailsIsNewThoughItsCauseIsKnown) {
  const std::string folder = testing::TempDir() + "new_case";
  ASSERT_TRUE(MakeFolder(folder).ok());
  Cause cause = SampleCause().cause;
  cause.cases = {"dq.insert.tail"};
  CheckRequest request;
  request.baseline = folder + "/known.txt";
  const std::vector<std::string> baseline = {cause.Identity(), "case dq.insert.tail"};
  EXPECT_EQ(ReportCheck(request, folder, {}, {cause}, CheckTotals(), baseline), kExitOk);
  cause.cases.push_back("dq.remove-by-key.elevator");
  EXPECT_EQ(ReportCheck(request, folder, {}, {cause}, CheckTotals(), baseline), kExitViolation);
}

TEST(CheckReport, WhatDidNotHappenAgainIsNoCleanEnd) {
  const std::string folder = testing::TempDir() + "unconfirmed_check";
  ASSERT_TRUE(MakeFolder(folder).ok());
  CheckTotals totals;
  EXPECT_EQ(ReportCheck(CheckRequest(), folder, {}, {}, totals), kExitOk);
  totals.counts.unconfirmed = 1;
  EXPECT_EQ(ReportCheck(CheckRequest(), folder, {}, {}, totals), kExitSetup);
}

TEST(Parts, WhenAUserHasStoppedNoneIsBegun) {
  const StopSignals stop;
  raise(SIGINT);
  Part part;
  part.program = "/bin/false";
  const PartsEnd end =
      RunParts({part, part}, 1, testing::TempDir(), stop, [](int, const PartResult&) { FAIL(); });
  EXPECT_TRUE(end.stopped);
  EXPECT_TRUE(end.results.empty());
}

TEST(Baseline, WhatIsNewOrGoneMakesADifference) {
  const std::vector<std::string> before = {"rule A in f", "rule B in g"};
  EXPECT_TRUE(CompareWithBaseline(before, {"rule B in g", "rule A in f"}).same());
  const BaselineDifference difference = CompareWithBaseline(before, {"rule B in g", "rule C in h"});
  EXPECT_EQ(difference.known, (std::vector<bool>{true, false}));
  EXPECT_EQ(difference.gone, std::vector<std::string>{"rule A in f"});
  EXPECT_FALSE(difference.same());
  EXPECT_FALSE(CompareWithBaseline(before, {"rule A in f"}).same());
}

TEST(Baseline, AFileComesBackAsItWasWritten) {
  const std::vector<std::string> identities = {"rule B in g", "rule A in f"};
  EXPECT_EQ(ParseBaseline(PrintBaseline(identities)),
            (std::vector<std::string>{"rule A in f", "rule B in g"}));
  EXPECT_TRUE(ParseBaseline("# nothing\n\n").empty());
}

}  // namespace
}  // namespace cancelsafe
