// cancelsafe findings on folders that are not one of findings.
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

class FindingsTest : public ToolTest {};

// "Findings: 0" of the wrong folder would be taken for good news.
TEST_F(FindingsTest, AFolderWithOtherFilesIsRefusedWithTheOneThatIsMeant) {
  Run("mkdir -p work/findings && touch work/lock");
  const CommandResult above = Run("cancelsafe findings work out");
  EXPECT_EQ(above.status, 2) << above.output;
  EXPECT_THAT(above.output, HasSubstr("did you mean work/findings?"));
  Run("mkdir artifacts && touch artifacts/crash-1");
  const CommandResult artifacts = Run("cancelsafe findings artifacts out");
  EXPECT_EQ(artifacts.status, 2) << artifacts.output;
  EXPECT_THAT(artifacts.output, HasSubstr("has no finding (*.txt) and other files"));
}

TEST_F(FindingsTest, AnEmptyFolderHasNone) {
  Run("mkdir empty");
  const CommandResult none = Run("cancelsafe findings empty out");
  EXPECT_EQ(none.status, 0) << none.output;
  EXPECT_THAT(none.output, HasSubstr("Findings: 0"));
}

}  // namespace
}  // namespace cancelsafe
