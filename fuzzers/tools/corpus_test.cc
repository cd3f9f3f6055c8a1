// cancelsafe corpus on folders of its own.
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

class CorpusTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    Run("mkdir -p own/csq_fuzzer/seeds && cp corpus/csq_fuzzer/seeds/cancel_*.txt "
        "own/csq_fuzzer/seeds");
  }
};

TEST_F(CorpusTest, ListsWhatThereIs) {
  const CommandResult result = Run("cancelsafe corpus list csq --corpus own");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("cancel_races_remove.txt "));
  EXPECT_THAT(result.output, HasSubstr("Cancellation against removal by context"));
}

TEST_F(CorpusTest, AddsProgramsOnceAndAsText) {
  Run("cancelsafe corpus convert csq --bytes --output new.bin "
      "corpus/csq_fuzzer/seeds/fifo_order.txt");
  const CommandResult added = Run("cancelsafe corpus add csq --corpus own new.bin");
  EXPECT_EQ(added.status, 0) << added.output;
  EXPECT_THAT(ReadAll(Path("own/csq_fuzzer/seeds/new.txt")), HasSubstr("target csq\n"));
  EXPECT_THAT(
      Run("cancelsafe corpus add csq --corpus own corpus/csq_fuzzer/seeds/fifo_order.txt").output,
      HasSubstr("is there already: own/csq_fuzzer/seeds/new.txt"));
  EXPECT_EQ(Run("cancelsafe corpus add csq --corpus own --regressions new.bin").status, 0);
}

TEST_F(CorpusTest, ARegressionPassesOnceItsBugIsFixed) {
  WriteAll(Path("fixed.txt"),
           "# VERDICT double-ending CSQ-INV-01 (double-ending): an item ends once\n"
           "target csq\nfiber 0\n  insert 1\n  remove-next\n");
  EXPECT_EQ(Run("cancelsafe replay --quiet fixed.txt").status, 1) << "its header names a failure";
  EXPECT_EQ(Run("cancelsafe corpus add csq --corpus own --regressions fixed.txt").status, 0);
  const std::string added = "own/csq_fuzzer/regressions/fixed.txt";
  EXPECT_THAT(ReadAll(Path(added)), HasSubstr("# was: double-ending CSQ-INV-01"));
  EXPECT_EQ(Run("cancelsafe replay --quiet " + added).status, 0);
}

TEST_F(CorpusTest, ConvertsBothWays) {
  Run("cancelsafe corpus convert csq --bytes own/csq_fuzzer/seeds/cancel_after_remove.txt && "
      "cancelsafe corpus convert csq --output back.txt "
      "own/csq_fuzzer/seeds/cancel_after_remove.bin");
  const std::string before = ReadAll(Path("own/csq_fuzzer/seeds/cancel_after_remove.txt"));
  const std::string after = ReadAll(Path("back.txt"));
  ASSERT_FALSE(after.empty());
  EXPECT_EQ(before.substr(before.find("target")), after) << "bytes keep no comments";
}

TEST_F(CorpusTest, MergesByCoverage) {
  Run("cp own/csq_fuzzer/seeds/cancel_after_remove.txt own/csq_fuzzer/seeds/copy.txt");
  const CommandResult result =
      Run("cancelsafe corpus minimize csq --output merged own/csq_fuzzer/seeds");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("not needed  own/csq_fuzzer/seeds/copy.txt"));
  EXPECT_TRUE(std::filesystem::exists(Path("merged/cancel_after_remove.txt")));
  EXPECT_FALSE(std::filesystem::exists(Path("merged/copy.txt")));
  Run("cancelsafe corpus minimize csq --delete own/csq_fuzzer/seeds");
  EXPECT_FALSE(std::filesystem::exists(Path("own/csq_fuzzer/seeds/copy.txt")));
  EXPECT_TRUE(std::filesystem::exists(Path("own/csq_fuzzer/seeds/cancel_after_remove.txt")));
}

TEST_F(CorpusTest, FindsDuplicatesStaleAndUnreadableFiles) {
  EXPECT_EQ(Run("cancelsafe corpus stats csq --corpus own").status, 0);
  Run("cp own/csq_fuzzer/seeds/cancel_after_remove.txt own/csq_fuzzer/seeds/copy.txt");
  WriteAll(Path("own/csq_fuzzer/seeds/loose.txt"), "target csq\nfiber 0\n    insert 1\n");
  WriteAll(Path("own/csq_fuzzer/seeds/wrong.txt"), "target csq\nfibre 0\n");
  WriteAll(Path("own/csq_fuzzer/seeds/idle.txt"),
           "target csq\nqueue classic insert=tail peek=any lock=spin\nfiber 0\n  remove 1\n");
  const CommandResult result = Run("cancelsafe corpus stats csq --corpus own");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output,
              HasSubstr("duplicate of own/csq_fuzzer/seeds/cancel_after_remove.txt"));
  EXPECT_THAT(result.output, HasSubstr("stale: not in canonical form"));
  EXPECT_THAT(result.output, HasSubstr("stale: none of its operations can be made"));
  EXPECT_THAT(result.output, HasSubstr("unreadable: "));
}

TEST_F(CorpusTest, ShowsWhichSituationsNoFileReaches) {
  const CommandResult corpus = Run("cancelsafe corpus matrix csq --corpus own --programs 0");
  EXPECT_EQ(corpus.status, 0);
  EXPECT_THAT(corpus.output, HasSubstr("remove-next"));
  EXPECT_THAT(corpus.output, Not(HasSubstr("never reached")));
  const CommandResult result =
      Run("cancelsafe corpus matrix csq --corpus own --programs 500 --all");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("situations known to be possible are reached"));
  EXPECT_THAT(result.output, HasSubstr("never reached: "));
  EXPECT_EQ(Run("cancelsafe corpus matrix csq --corpus own --programs 500 --all").output,
            result.output);
}

TEST_F(CorpusTest, BadUsageIsTold) {
  EXPECT_EQ(Run("cancelsafe corpus").status, 2);
  EXPECT_EQ(Run("cancelsafe corpus list nonsense").status, 2);
  EXPECT_EQ(Run("cancelsafe corpus frobnicate csq").status, 2);
  EXPECT_EQ(Run("cancelsafe corpus add csq --corpus own missing.txt").status, 2);
  EXPECT_EQ(Run("cancelsafe corpus convert csq").status, 2);
}

}  // namespace
}  // namespace cancelsafe
