// How a list of causes is held against the mistakes that are there.
#include "fuzzers/mutants/checked_mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cancelsafe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

JudgedCause CauseOf(std::vector<size_t> mistakes) {
  JudgedCause cause;
  cause.mistakes = std::move(mistakes);
  cause.operations = 2;
  cause.replays = 20;
  cause.changed_line = 1;
  cause.within_three = true;
  return cause;
}

CheckedMix Checked(std::vector<JudgedCause> causes) {
  CheckedMix checked;
  checked.mix = {"m", {{"a", "", "", ""}, {"b", "", "", ""}}};
  checked.causes = std::move(causes);
  AssignMistakes(2, &checked.causes);
  return checked;
}

TEST(CheckedMix, EachMistakeWantsOneCause) {
  EXPECT_TRUE(Checked({CauseOf({1}), CauseOf({0})}).AllIsWell(20));
  const CheckedMix missing = Checked({CauseOf({0})});
  EXPECT_THAT(missing.Missing(), ElementsAre("b"));
  EXPECT_FALSE(missing.AllIsWell(20));
  const CheckedMix twice = Checked({CauseOf({0}), CauseOf({1}), CauseOf({0})});
  EXPECT_THAT(twice.Missing(), IsEmpty());
  EXPECT_THAT(twice.Twice(), ElementsAre("a"));
  EXPECT_FALSE(twice.AllIsWell(20));
  const CheckedMix wrong = Checked({CauseOf({0}), CauseOf({1}), CauseOf({})});
  EXPECT_EQ(wrong.False(), 1);
  EXPECT_FALSE(wrong.AllIsWell(20));
}

TEST(CheckedMix, ACauseOfTwoMistakesIsCountedForTheOneThatHasNoOther) {
  EXPECT_TRUE(Checked({CauseOf({0, 1}), CauseOf({0})}).AllIsWell(20));
  EXPECT_TRUE(Checked({CauseOf({0}), CauseOf({0, 1})}).AllIsWell(20));
}

TEST(CheckedMix, ALongProgramOrAReplayThatFailsOrAWrongLineIsNotWell) {
  CheckedMix checked = Checked({CauseOf({0}), CauseOf({1})});
  EXPECT_TRUE(checked.AllIsWell(20));
  checked.causes[0].operations = 7;
  EXPECT_FALSE(checked.AllIsWell(20));
  checked.causes[0].operations = 6;
  checked.causes[1].replays = 19;
  EXPECT_FALSE(checked.AllIsWell(20));
  checked.causes[1].replays = 20;
  checked.causes[1].changed_line = 0;
  EXPECT_FALSE(checked.AllIsWell(20));
  EXPECT_THAT(CheckedLine(checked), HasSubstr("changed line first in 1, named in 1, within three "
                                              "lines in 2"));
}

TEST(CheckedMix, ChangedLinesAreThoseBetweenWhatIsAlike) {
  EXPECT_THAT(ChangedLines("a\nX\nc\n", "a\nb\nc\n"), ElementsAre(2));
  EXPECT_THAT(ChangedLines("a\nb\nX\nY\nc\n", "a\nb\nc\n"), ElementsAre(3, 4));
  EXPECT_THAT(ChangedLines("a\nc\n", "a\nb\nc\n"), ElementsAre(1, 2));
}

TEST(CheckedMix, AFunctionIsTheOneWhoseDefinitionBeginsBefore) {
  const std::string source =
      "void One(int a) {\n  two(a);\n}\n\nPIRP NTAPI IoTwo(PIO_CSQ Csq,\n                 int b) "
      "{\n"
      "  return b;\n}\n";
  EXPECT_EQ(FunctionAt(source, 2), "One");
  EXPECT_EQ(FunctionAt(source, 7), "IoTwo");
}

TEST(CheckedMix, EveryMixFitsIntoTheReferenceImplementation) {
  const absl::StatusOr<std::vector<Mix>> mixes = LoadMixes(CANCELSAFE_ROOT);
  ASSERT_TRUE(mixes.ok()) << mixes.status();
  EXPECT_GE(mixes->size(), 4u);
  for (const Mix& mix : *mixes) {
    EXPECT_TRUE(WriteMixedSources(CANCELSAFE_ROOT, mix.mistakes, MixedFiles(),
                                  testing::TempDir() + "by_check_" + mix.name)
                    .ok())
        << mix.name;
  }
}

}  // namespace
}  // namespace cancelsafe
