// The commands in README.md still print what it says they print.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fuzzers/tools/tool_test_util.h"

namespace cancelsafe {
namespace {

struct Example {
  std::string command;
  std::string output;
};

// The "$ command" lines of the console blocks, with what follows each.
std::vector<Example> ReadExamples(const std::string& text) {
  std::vector<Example> examples;
  bool console = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, "```")) {
      console = line == "```console";
    } else if (console && absl::StartsWith(line, "$ ")) {
      examples.push_back({std::string(line.substr(2)), ""});
    } else if (console && !examples.empty()) {
      absl::StrAppend(&examples.back().output, line, "\n");
    }
  }
  return examples;
}

class ReadmeTest : public ToolTest {};

TEST_F(ReadmeTest, TheWorkedExampleWorks) {
  const std::vector<Example> examples = ReadExamples(ReadAll(CANCELSAFE_TOOLS_README));
  ASSERT_GE(examples.size(), 5u);
  // As it is in the root of a checkout.
  const std::string tree(absl::StripSuffix(CANCELSAFE_TOOLS_README, "/fuzzers/tools/README.md"));
  for (const Example& example : examples) {
    const std::string output = absl::StrReplaceAll(Run(example.command).output,
                                                   {{tree + "/cancelsafe ", "./cancelsafe "}});
    EXPECT_EQ(output, example.output) << "$ " << example.command;
  }
}

}  // namespace
}  // namespace cancelsafe
