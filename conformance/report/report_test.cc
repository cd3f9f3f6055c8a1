// Reading, judging and writing reports.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/expectations.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"
#include "conformance/selfcheck/defects.h"

namespace cancelsafe::conformance {
namespace {

Report FailingReport() {
  defect = Defect::kDqInsertHead;
  Report report = RunSuite(BreakableImplementation(), "a \"wrong\" <one>", "dq.insert.*");
  defect = Defect::kNoDefect;
  return report;
}

CaseReport* Find(Report* report, const std::string& id) {
  for (CaseReport& c : report->cases) {
    if (c.id == id) return &c;
  }
  return nullptr;
}

TEST(TapTest, WhatIsWrittenReadsBackTheSame) {
  const Report report = FailingReport();
  Report again;
  std::string error;
  again.implementation = report.implementation;
  ASSERT_TRUE(ReadTap(Tap14(report), &again, &error)) << error;
  EXPECT_EQ(Tap14(again), Tap14(report));
  EXPECT_EQ(Markdown(again), Markdown(report));
}

TEST(TapTest, FailureCarriesClauseExpectedAndSeen) {
  Report report = FailingReport();
  const CaseReport* c = Find(&report, "dq.insert.tail");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->verdict, CaseVerdict::kFail);
  EXPECT_EQ(c->failed.count("DQ-INS-03"), 1u);
  ASSERT_FALSE(c->failures.empty());
  EXPECT_FALSE(c->steps.empty());
  const std::string text = ConsoleFailures(report);
  EXPECT_NE(text.find("DQ-INS-03"), std::string::npos);
  EXPECT_NE(text.find("nf-wdm-keinsertdevicequeue"), std::string::npos);
}

TEST(TapTest, TruncatedReportIsACrashAndForeignLinesAreErrors) {
  Report report;
  std::string error;
  ASSERT_TRUE(ReadTap("ok 1 - dq.insert.tail\n  ---\n  verdict: pass\n", &report, &error));
  ASSERT_EQ(report.cases.size(), 1u);
  EXPECT_EQ(report.cases[0].verdict, CaseVerdict::kCrash);
  EXPECT_FALSE(ReadTap("ok 1 - no.such.case\n", &report, &error));
}

TEST(JsonLinesTest, RoundTripAndTruncation) {
  const Report report = FailingReport();
  const std::string text = JsonLines(report);
  Report again;
  std::string error;
  ASSERT_TRUE(ReadJsonLines(text, &again, &error)) << error;
  EXPECT_EQ(JsonLines(again), text);
  const size_t footer = text.rfind('\n', text.size() - 2);
  Report cut;
  EXPECT_FALSE(ReadJsonLines(text.substr(0, footer + 1), &cut, &error));
}

TEST(JsonLinesTest, HeaderCasesAndFooterAreObjects) {
  const std::string text = JsonLines(FailingReport());
  const auto header = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(header["implementation"], "a \"wrong\" <one>");
  EXPECT_EQ(header["suite"], "cancelsafe");
  EXPECT_TRUE(header.contains("git"));
}

TEST(WritersTest, NamesAreEscapedInXmlAndHtml) {
  const Report report = FailingReport();
  EXPECT_NE(JUnitXml(report).find("a &quot;wrong&quot; &lt;one&gt;"), std::string::npos);
  const std::string page = Html({report});
  EXPECT_EQ(page.find("<one>"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
}

TEST(ExpectationsTest, ReasonAndLinkAreMandatory) {
  std::vector<Expectation> expectations;
  std::string error;
  EXPECT_TRUE(ParseExpectations("# c\n\na.* | not-provided | stub\n", &expectations, &error));
  EXPECT_FALSE(ParseExpectations("a.b | fail | why\n", &expectations, &error));
  EXPECT_FALSE(ParseExpectations("a.b | fail | | http\n", &expectations, &error));
  EXPECT_FALSE(ParseExpectations("a.b | pass | why | l\n", &expectations, &error));
}

TEST(ExpectationsTest, StrictBothWays) {
  Report report = FailingReport();
  std::vector<Expectation> expectations;
  std::string error;
  ASSERT_TRUE(
      ParseExpectations("dq.insert.tail | fail | known | link\n"
                        "dq.insert.idle | fail | fixed since | link\n"
                        "dq.gone.* | fail | stale | link\n",
                        &expectations, &error));
  EXPECT_EQ(ApplyExpectations(expectations, &report).size(), 1u);
  EXPECT_EQ(Find(&report, "dq.insert.tail")->verdict, CaseVerdict::kExpectedFailure);
  EXPECT_EQ(Find(&report, "dq.insert.idle")->verdict, CaseVerdict::kUnexpectedPass);
  EXPECT_EQ(Find(&report, "dq.insert.true-when-queued")->verdict, CaseVerdict::kPass);
}

TEST(ExpectationsTest, MissingRoutineHasToBeDeclared) {
  Report report = RunSuite(Implementation(), "null", "dq.insert.*");
  std::vector<Expectation> expectations;
  std::string error;
  ASSERT_TRUE(
      ParseExpectations("dq.insert.tail | not-provided | not written\n", &expectations, &error));
  ApplyExpectations(expectations, &report);
  EXPECT_EQ(Find(&report, "dq.insert.tail")->verdict, CaseVerdict::kNotProvided);
  EXPECT_EQ(Find(&report, "dq.insert.idle")->verdict, CaseVerdict::kFail);
}

}  // namespace
}  // namespace cancelsafe::conformance
