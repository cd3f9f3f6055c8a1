// Reports of causes as files and annotations: text from outside is text in each of them.
#include "fuzzers/check/cause_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fuzzers/check/testdata/sample_cause.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

CauseList Sample() {
  CauseList list;
  list.causes = {SampleCause(), SampleCause()};
  list.causes[0].cause.shown.verdict.reason = "seen <b>, \"0 & 1\" | 2, 50%";
  list.causes[1].known = true;
  list.has_baseline = true;
  list.gone = {"lost-item CSQ-INV-01 in <IoCsqRemoveIrp>"};
  list.summary = "2 causes: 10 programs";
  return list;
}

TEST(CauseFiles, JUnitFailsForWhatIsNewOrGoneAndSkipsWhatIsKnown) {
  const std::string xml = CausesJUnit(Sample());
  EXPECT_THAT(xml, HasSubstr("<testsuites tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\">"));
  EXPECT_THAT(xml, HasSubstr("seen &lt;b&gt;, &quot;0 &amp; 1&quot; | 2, 50%"));
  EXPECT_THAT(xml, HasSubstr("name=\"lost-item CSQ-INV-01 in &lt;IoCsqRemoveIrp&gt;\""));
  EXPECT_THAT(xml, Not(HasSubstr("<b>")));
}

TEST(CauseFiles, JUnitOfACleanRunHasATestThatPassed) {
  EXPECT_THAT(CausesJUnit({}), HasSubstr("tests=\"1\" failures=\"0\""));
}

TEST(CauseFiles, MarkdownHasATableAndAFoldForWhatIsNew) {
  const std::string text = CausesMarkdown(Sample());
  EXPECT_THAT(text, HasSubstr("| 1 | wrong result | seen &lt;b>, \"0 & 1\" \\| 2, 50% | "
                              "IoCsqInsertIrpEx csq.c:99 | 1 |"));
  EXPECT_THAT(text, HasSubstr("| 2 | wrong result (known) |"));
  EXPECT_THAT(text, HasSubstr("<details><summary>1. "));
  EXPECT_THAT(text, Not(HasSubstr("<details><summary>2. ")));
  EXPECT_THAT(text, HasSubstr("```\ntarget csq\n"));
  EXPECT_THAT(text, HasSubstr("Gone: lost-item"));
}

TEST(CauseFiles, ThePageHoldsNoMarkupOfAnImplementation) {
  const std::string page = CausesHtml(Sample());
  EXPECT_THAT(page, HasSubstr("seen &lt;b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, HasSubstr("<a href=\"https://learn.microsoft.com"));
  EXPECT_THAT(page, HasSubstr("<code>/x/cancelsafe replay /x/cause-1.txt</code>"));
}

TEST(CauseFiles, EveryFormSaysInWhichRoutineTheMistakeIsAndWhatHidesIt) {
  CauseList list = Sample();
  list.causes[0].cause.shown.vanishes_without = {"IoCsqInsertIrpEx"};
  list.causes[0].cause.shown.behind = {"IoCsqRemoveIrp"};
  for (const std::string& text :
       {CauseText(1, list.causes[0]), CausesJUnit(list), CausesMarkdown(list), CausesHtml(list),
        CausesJson(list.causes)}) {
    EXPECT_THAT(text, HasSubstr("IoCsqRemoveIrp"));
    EXPECT_THAT(text, HasSubstr("mistake"));
    EXPECT_THAT(text, HasSubstr("behind"));
  }
}

TEST(CauseFiles, AnnotationsNameTheLineAndLeaveOutWhatIsKnown) {
  CauseList list = Sample();
  list.causes[0].cause.lines[0].file = "/home/me/queue/src/csq.c";
  EXPECT_EQ(CausesAnnotations(list, "/home/me/queue"),
            "::warning file=src/csq.c,line=99,title=wrong result%3A CSQ-INSERT-05 "
            "(pending-missing) in IoCsqInsertIrp::seen <b>, \"0 & 1\" | 2, 50%25\n");
}

TEST(CauseFiles, AllFormatsAreWritten) {
  const std::string folder = testing::TempDir() + "/cancelsafe-causes";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(WriteCauseFiles(Sample(), folder).ok());
  for (const char* name :
       {"causes.json", "causes.sarif", "causes.xml", "causes.md", "causes.html"}) {
    EXPECT_GT(std::filesystem::file_size(folder + "/" + name), 100u) << name;
  }
}

}  // namespace
}  // namespace cancelsafe
