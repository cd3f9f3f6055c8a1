// A toy subcommand on the real parser: what is accepted, and how errors are worded.
#include "command/command_line.h"

#include <filesystem>
#include <memory>

#include "command/flags.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

struct Toy {
  int number = 7;
  std::string word = "red";
  std::vector<std::string> texts;
  bool quiet = false;
  std::string folder = ".";
  std::vector<std::string> files;
};
Toy* last = nullptr;

std::function<int()> DeclareToy(CLI::App* app) {
  const auto toy = std::make_shared<Toy>();
  last = toy.get();
  AddNumber(app, "--number", &toy->number, 1, 100, "a number (7)");
  AddChoice(app, "--colour", &toy->word, {"red", "green"}, "a word (red)");
  AddTexts(app, "--text", &toy->texts, "RULE", "may be repeated");
  AddSwitch(app, "--quiet", &toy->quiet, "a switch");
  AddSave(app, &toy->folder);
  AddArguments(app, "FILE", &toy->files);
  return [toy] { return toy->number; };
}

const RegisterSubcommand registered({"toy", SubcommandGroup::kMeasure, "play", "FILE...",
                                     "What it is for.", "", &DeclareToy});

std::string ErrorOf(const std::vector<std::string>& words) { return ParseCommandLine(words).error; }

TEST(CommandLineTest, ValuesFollowAnEqualsSignOrASpace) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"toy", "--number=9", "--colour=green", "a", "b"},
        {"toy", "--number", "9", "a", "--colour", "green", "b"}}) {
    const ParsedCommand command = ParseCommandLine(words);
    ASSERT_EQ(command.error, "");
    EXPECT_EQ(command.run(), 9);
    EXPECT_EQ(last->word, "green");
    EXPECT_THAT(last->files, testing::ElementsAre("a", "b"));
  }
}

TEST(CommandLineTest, ARepeatedFlagTakesOneValueEachTime) {
  const ParsedCommand command = ParseCommandLine({"toy", "--text", "x", "file", "--text=y"});
  ASSERT_EQ(command.error, "");
  EXPECT_THAT(last->texts, testing::ElementsAre("x", "y"));
  EXPECT_THAT(last->files, testing::ElementsAre("file"));
}

TEST(CommandLineTest, ErrorsSayWhatWasWrongAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf({"toy", "--number", "1x"}),
            "--number: '1x' is not a whole number from 1 to 100");
  EXPECT_EQ(ErrorOf({"toy", "--number", "101"}),
            "--number: '101' is not a whole number from 1 to 100");
  EXPECT_EQ(ErrorOf({"toy", "--colour", "gren"}),
            "--colour: 'gren' is not one of red, green; did you mean green?");
  EXPECT_EQ(ErrorOf({"toy", "--numbr", "1"}),
            "unknown flag --numbr; did you mean --number?; see 'cancelsafe toy --help'");
  EXPECT_EQ(ErrorOf({"toy", "--number"}), "--number needs a value; see 'cancelsafe toy --help'");
  EXPECT_EQ(ErrorOf({"toy", "--text", ""}), "--text: needs a value");
  EXPECT_EQ(ErrorOf({"ty"}), "no subcommand 'ty'; did you mean toy?; 'cancelsafe help' lists them");
  EXPECT_EQ(ErrorOf({}), "no subcommand; 'cancelsafe help' lists them");
  EXPECT_EQ(ErrorOf({"--versio"}),
            "unknown flag --versio; did you mean --version?; the flags of a subcommand stand "
            "behind its name");
}

// Not when there is something to save, after hours perhaps.
TEST(CommandLineTest, TheFolderForFindingsIsMadeBeforeTheSearch) {
  const std::string folder = testing::TempDir() + "/cancelsafe-save";
  std::filesystem::remove_all(folder);
  EXPECT_EQ(ErrorOf({"toy", "--save", folder + "/a/b"}), "");
  EXPECT_TRUE(std::filesystem::is_directory(folder + "/a/b"));
  EXPECT_THAT(ErrorOf({"toy", "--save", "/dev/null/a"}), HasSubstr("cannot create /dev/null/a"));
}

TEST(CommandLineTest, HelpShowsEveryFlag) {
  const std::string text = ParseCommandLine({"toy", "--help"}).text;
  EXPECT_THAT(text, HasSubstr("usage: cancelsafe toy [flags] FILE..."));
  EXPECT_THAT(text, HasSubstr("--number N"));
  EXPECT_THAT(text, HasSubstr("--colour red|green"));
  EXPECT_THAT(text, HasSubstr("Exit status: 0"));
  EXPECT_EQ(ParseCommandLine({"help", "toy"}).text, text);
  EXPECT_THAT(ParseCommandLine({"help"}).text, HasSubstr("toy         play"));
  EXPECT_EQ(ParseCommandLine({"help", "--help"}).text, ParseCommandLine({"help"}).text);
}

TEST(CommandLineTest, CompletionKnowsFlagsAndTheirValues) {
  for (const Subcommand& subcommand : Subcommands()) {
    for (const FlagWords& flag : FlagsOf(subcommand)) {
      if (flag.name == "--colour") {
        EXPECT_THAT(flag.values, testing::ElementsAre("red", "green"));
      }
      if (flag.name == "--number") {
        EXPECT_TRUE(flag.takes_value);
        EXPECT_TRUE(flag.values.empty());
      }
      if (flag.name == "--quiet") {
        EXPECT_FALSE(flag.takes_value);
      }
    }
  }
}

}  // namespace
}  // namespace cancelsafe
