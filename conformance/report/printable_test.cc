// Text from outside in reports: any bytes go in, valid text comes out, and nothing of it
// is run by a reader's browser.
#include "conformance/report/printable.h"

#include <gtest/gtest.h>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/expectations.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {
namespace {

// All bytes but the end of a line.
std::string AnyBytes() {
  std::string text;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '\n' && byte != '|') text.push_back(static_cast<char>(byte));
  }
  return text;
}

TEST(PrintableTest, ValidTextStaysAndOtherBytesAreEscaped) {
  EXPECT_EQ(Printable("Grün \xe2\x82\xac \xf0\x9f\x98\x80"), "Grün \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(Printable("a\xff\x01z\x7f"), "a\\xff\\x01z\\x7f");
  // Overlong, a surrogate, beyond U+10FFFF, cut short.
  EXPECT_EQ(Printable("\xc0\x80"), "\\xc0\\x80");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(Printable(Printable(AnyBytes())), Printable(AnyBytes()));
}

TEST(PrintableTest, EveryFormatTakesAnyBytesInNamesAndReasons) {
  Report report = RunSuite(Implementation(), AnyBytes(), "dq.insert.*");
  std::vector<Expectation> expectations;
  std::string error;
  const std::string line = "dq.insert.tail | not-provided | " + AnyBytes() + " | " + AnyBytes();
  ASSERT_TRUE(ParseExpectations(line, &expectations, &error)) << error;
  ApplyExpectations(expectations, &report);
  Report again;
  ASSERT_TRUE(ReadJsonLines(JsonLines(report), &again, &error)) << error;
  EXPECT_EQ(JsonLines(again), JsonLines(report));
  for (const std::string& text :
       {ConsoleTable(report), ConsoleFailures(report), ClosingLine(report), JUnitXml(report),
        Tap14(report), JsonLines(report), Markdown(report), Html({report}),
        ExpectationsAfter(report)}) {
    for (size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = std::min(text.find('\n', at), text.size());
      const std::string one = text.substr(at, end - at);
      EXPECT_EQ(Printable(one), one);
    }
  }
}

TEST(PrintableTest, ForeignResultsMayHoldAnyBytes) {
  Report report;
  std::string error;
  ASSERT_TRUE(
      ReadTap("\xef\xbb\xbfnot ok 1 - dq.insert.tail\n  ---\n  verdict: crash\n  reason: \"" +
                  std::string("\xff\xfe") + "\"\n  ...\n",
              &report, &error))
      << error;
  EXPECT_EQ(report.cases.at(0).reason, "\\xff\\xfe");
  EXPECT_FALSE(ReadJsonLines("{\"a\": \"\xff\"}\n{}\n", &report, &error));
}

TEST(PrintableTest, OnlyWebAddressesBecomeLinks) {
  Report report = RunSuite(Implementation(), "links", "dq.insert.tail");
  CaseReport& c = report.cases.at(0);
  for (const char* link :
       {"javascript:alert(1)", "data:text/html,x", " javascript:x", "file:///x"}) {
    c.link = link;
    EXPECT_EQ(Html({report}).find("\"href\":"), std::string::npos) << link;
  }
  for (const char* link : {"https://example.org/7", "http://example.org/7"}) {
    c.link = link;
    EXPECT_NE(Html({report}).find("\"href\":"), std::string::npos) << link;
  }
}

TEST(PrintableTest, ByteOrderMarkIsSkipped) {
  std::vector<Expectation> expectations;
  std::string error;
  EXPECT_TRUE(
      ParseExpectations("\xef\xbb\xbf# c\na.* | not-provided | stub\n", &expectations, &error))
      << error;
  const Report report = RunSuite(Implementation(), "mark", "dq.insert.tail");
  Report again;
  EXPECT_TRUE(ReadJsonLines("\xef\xbb\xbf" + JsonLines(report), &again, &error)) << error;
}

TEST(ExpectationsTest, FifthColumnIsAnError) {
  std::vector<Expectation> expectations;
  std::string error;
  EXPECT_FALSE(ParseExpectations("a.* | fail | why | link | more\n", &expectations, &error));
  EXPECT_NE(error.find("line 1: 5 columns"), std::string::npos) << error;
}

TEST(ResultsTest, CaseThatIsThereTwiceIsAnErrorAndAMissingOneACrash) {
  const std::string point = "ok 1 - dq.insert.tail\n  ---\n  verdict: pass\n  ...\n";
  Report twice;
  std::string error;
  EXPECT_FALSE(ReadTap(point + point, &twice, &error));
  EXPECT_NE(error.find("dq.insert.tail is there twice"), std::string::npos) << error;

  Report missing;
  ASSERT_TRUE(ReadTap(point, &missing, &error)) << error;
  AddMissingCases(&missing);
  EXPECT_EQ(static_cast<int>(missing.cases.size()), suite::CaseCount());
  EXPECT_EQ(CountOf(missing, CaseVerdict::kCrash), suite::CaseCount() - 1);

  std::string lines = JsonLines(RunSuite(Implementation(), "twice", "dq.insert.tail"));
  const size_t begin = lines.find('\n') + 1;
  const size_t end = lines.find('\n', begin) + 1;
  lines.insert(end, lines.substr(begin, end - begin));
  Report compared;
  EXPECT_FALSE(ReadJsonLines(lines, &compared, &error));
  EXPECT_NE(error.find("twice"), std::string::npos) << error;
}

TEST(ResultsTest, ForeignJsonOfOtherTypesIsAnError) {
  Report report;
  std::string error;
  EXPECT_FALSE(ReadJsonLines("{}\n{\"case\": 5}\n{}\n", &report, &error));
  EXPECT_FALSE(ReadJsonLines("{\"implementation\": []}\n{}\n", &report, &error));
  EXPECT_NE(error, "");
}

}  // namespace
}  // namespace cancelsafe::conformance
