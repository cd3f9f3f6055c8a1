// What a merge of a corpus must have left before it may take the place of the old one.
#include "fuzzers/tools/corpus_prune.h"

#include "fuzzers/tools/tool_test_util.h"

namespace cancelsafe {
namespace {

class CorpusPruneTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    Run("mkdir corpus_before merged");
    WriteAll(Path("corpus_before/a"), "one");
    WriteAll(Path("corpus_before/b"), std::string(5000, 'x'));
  }
  bool IsWhole() const { return IsWholeMerge(Path("merged"), Path("corpus_before")); }
};

TEST_F(CorpusPruneTest, SomeOfTheOldInputsAreAWholeMerge) {
  WriteAll(Path("merged/by-another-name"), "one");
  WriteAll(Path("merged/cut"), std::string(4096, 'x'));
  WriteAll(Path("merged/crash-1"), "what the engine died of is not an input of the corpus");
  EXPECT_TRUE(IsWhole());
}

// As libFuzzer leaves them on a full disk, with exit status 0.
TEST_F(CorpusPruneTest, EmptyAndShortFilesAreNotAWholeMerge) {
  WriteAll(Path("merged/a"), "one");
  WriteAll(Path("merged/b"), "");
  EXPECT_FALSE(IsWhole());
  WriteAll(Path("merged/b"), "on");
  EXPECT_FALSE(IsWhole());
}

}  // namespace
}  // namespace cancelsafe
