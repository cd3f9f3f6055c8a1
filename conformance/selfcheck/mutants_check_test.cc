// The suite against known bugs: what one thread can show is noticed, and the
// implementation without a patch is not.
#include "conformance/selfcheck/mutants_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace cancelsafe::conformance {
namespace {

using testing::HasSubstr;

TEST(MutantsCheckTest, NoticesKnownBugsAndNotTheImplementationAsItIs) {
  const absl::StatusOr<GuestRecipe> recipe = ReadGuestRecipe(CANCELSAFE_GUEST_RECIPE);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  const std::string work = absl::StrCat(testing::TempDir(), "/cancelsafe-suite-mutants-", getpid());
  const absl::StatusOr<GuestBuilder> builder = GuestBuilder::Create(*recipe, work);
  ASSERT_TRUE(builder.ok()) << builder.status();
  const absl::StatusOr<std::vector<Mutant>> all = LoadMutants(CANCELSAFE_PATCHES_DIR);
  ASSERT_TRUE(all.ok()) << all.status();

  Mutant unmutated;
  unmutated.id = "unmutated";
  std::vector<Mutant> mutants = {unmutated};
  for (const Mutant& mutant : *all) {
    for (const char* id :
         {"csq-pending-mark-missing", "dq-insert-equal-first", "dq-insert-without-lock"}) {
      if (mutant.id == id) mutants.push_back(mutant);
    }
  }
  ASSERT_EQ(mutants.size(), 4u);
  std::string text;
  const std::vector<MutantNotice> notices = RunSuiteOnMutants(
      mutants, *builder, [&](const MutantNotice& notice) { text += MutantLine(notice); });
  for (const MutantNotice& notice : notices) {
    EXPECT_EQ(notice.complaint, "");
    EXPECT_EQ(notice.noticed(), notice.id != "unmutated") << text;
  }
  EXPECT_THAT(MutantsClosingLine(notices), HasSubstr("3 of 4 mutants noticed"));
  std::filesystem::remove_all(work);
}

}  // namespace
}  // namespace cancelsafe::conformance
