// What a shell makes of the words that are printed for it.
#include "base/shell_word.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

TEST(ShellWordTest, WordsThatNoShellChangesAreLeftAsTheyAre) {
  EXPECT_EQ(ShellWord("--implementation"), "--implementation");
  EXPECT_EQ(ShellWord("/a/b_c-1.so:2,3=4@5%6+7"), "/a/b_c-1.so:2,3=4@5%6+7");
}

TEST(ShellWordTest, AShellReadsBackWhatWasMeant) {
  for (const std::string word : {"", "two words", "it's", "$HOME", "`id`", "a\\b", "*", "~", "a;b",
                                 "gu\xff"
                                 "1st.so",
                                 "line\nfeed", "tab\t\"", "\x1b[31m", "\xc3\xa9t\xc3\xa9"}) {
    std::string output;
    const absl::StatusOr<ChildEnd> end =
        RunProcess({"bash", "-c", absl::StrCat("printf %s ", ShellWord(word))}, 60,
                   [&output](absl::string_view text) { absl::StrAppend(&output, text); });
    ASSERT_TRUE(end.ok() && end->status.clean());
    EXPECT_EQ(output, word);
    for (const char c : ShellWord(word)) EXPECT_TRUE(c >= ' ' && c <= '~') << ShellWord(word);
  }
}

}  // namespace
}  // namespace cancelsafe
