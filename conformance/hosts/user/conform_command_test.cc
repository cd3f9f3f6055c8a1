// The conform subcommand as a user meets it: exit status, closing line and files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/testing/run_command.h"

namespace cancelsafe::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConformCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        absl::StrCat(testing::TempDir(), "/cancelsafe-conform-",
                     testing::UnitTest::GetInstance()->current_test_info()->name(), "-", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string Write(const std::string& name, const std::string& contents) const {
    std::ofstream(Path(name), std::ios::binary) << contents;
    return Path(name);
  }

  // The subcommand's exit status; what it prints is in output_.
  int Conform(std::vector<std::string> words) {
    words.insert(words.begin(), {CANCELSAFE_PROGRAM, "conform"});
    const CommandResult result = RunCommand(words);
    output_ = result.output;
    return result.status;
  }

  static std::string ReadAll(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string LastLine() const {
    const size_t end = output_.rfind('\n', output_.size() - 2);
    return output_.substr(end + 1);
  }

  std::string folder_;
  std::string output_;
};

TEST_F(ConformCommandTest, ListsTheCasesOfAClause) {
  ASSERT_EQ(Conform({"--list", "--clause", "DQ-RKEY-*"}), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("dq.remove-by-key.largest"));
  EXPECT_THAT(output_, Not(HasSubstr("csq.")));
}

TEST_F(ConformCommandTest, WritesEveryFormatAndReadsItsOwnResults) {
  ASSERT_EQ(Conform({"--implementation", CANCELSAFE_REFERENCE_PATH, "--report", Path("report")}), 0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("\nconforms: "));
  EXPECT_THAT(LastLine(),
              StartsWith("That was one thread: nothing was run on two processors. Now: "));
  for (const char* name : {"junit.xml", "report.tap", "report.jsonl", "report.md", "report.html"}) {
    EXPECT_GT(std::filesystem::file_size(Path(absl::StrCat("report/", name))), 0u) << name;
  }
  const std::string jsonl = Path("report/report.jsonl");
  EXPECT_EQ(Conform({"--clause", "CSQ-INSERT-02", "--compare", jsonl, "--report", Path("two")}), 0)
      << output_;
  // The report leaves out what checks the host alone, and a whole result does not.
  ASSERT_EQ(Conform({"--report", Path("whole")}), 0) << output_;
  EXPECT_EQ(Conform({"--results", Path("whole/report.tap")}), 0) << output_;
}

// The headers, the services and the flags of the README are enough for a kernel's sources.
TEST_F(ConformCommandTest, SourcesInTheStyleOfAKernelConform) {
  EXPECT_EQ(Conform({"--implementation", CANCELSAFE_CLONE_PREFIX "plain.so"}), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("\nconforms: "));
  EXPECT_THAT(LastLine(),
              StartsWith("That was one thread: nothing was run on two processors. Now: "));
}

TEST_F(ConformCommandTest, ResultsThatEndEarlyDoNotConform) {
  const std::string tap =
      Write("cut.tap", "ok 1 - dq.insert.tail\n  ---\n  verdict: pass\n  ...\n");
  EXPECT_EQ(Conform({"--results", tap}), 1);
  EXPECT_THAT(LastLine(), StartsWith("does not conform"));
}

TEST_F(ConformCommandTest, ExpectationsAreStrictBothWays) {
  const std::string unexpected = Write("unexpected", "dq.insert.tail | fail | it passes | link\n");
  EXPECT_EQ(Conform({"--expectations", unexpected, "--clause", "DQ-*"}), 1);
  EXPECT_THAT(output_, HasSubstr("unexpected-pass: dq.insert.tail"));
  const std::string stale = Write("stale", "no.such.case | not-provided | stale\n");
  EXPECT_EQ(Conform({"--expectations", stale, "--clause", "DQ-*"}), 1);
  EXPECT_THAT(output_, HasSubstr("stale expectation"));
  // The closing line and the reports say the same as the exit status.
  EXPECT_EQ(
      Conform({"--expectations", stale, "--clause", "dq.insert.tail", "--report", Path("stale.d")}),
      1);
  EXPECT_THAT(output_, HasSubstr("\ndoes not conform: "));
  EXPECT_THAT(output_, HasSubstr("; 1 stale expectations"));
  EXPECT_THAT(ReadAll(Path("stale.d/junit.xml")), HasSubstr("<failure type=\"stale\""));
}

TEST_F(ConformCommandTest, ACaseWithoutAVerdictInTheResultsIsAFailure) {
  const std::string none = Write("none.tap", "not ok 1 - dq.insert.tail\n  ---\n  ...\n");
  EXPECT_EQ(Conform({"--results", none, "--clause", "dq.insert.tail"}), 1);
  EXPECT_THAT(output_, HasSubstr("the report has no verdict for this case"));
  const std::string both =
      Write("both.tap", "not ok 1 - dq.insert.tail\n  ---\n  verdict: pass\n  ...\n");
  EXPECT_EQ(Conform({"--results", both, "--clause", "dq.insert.tail"}), 3);
  EXPECT_THAT(output_, HasSubstr("case dq.insert.tail is 'not ok', and its verdict is pass"));
}

// Whatever was expected when the results were written: it is what happened that is judged.
TEST_F(ConformCommandTest, ResultsWithExpectedFailuresAreJudgedAsTheRunWas) {
  const std::string failed =
      Write("failed.tap", "not ok 1 - dq.insert.tail\n  ---\n  verdict: expected-failure\n  ...\n");
  const std::vector<std::string> judge = {"--results", failed, "--clause", "dq.insert.tail"};
  EXPECT_EQ(Conform(judge), 1) << output_;
  std::vector<std::string> expecting = judge;
  expecting.insert(expecting.end(),
                   {"--expectations", Write("known", "dq.insert.tail | fail | known | link\n")});
  EXPECT_EQ(Conform(expecting), 0) << output_;
}

TEST_F(ConformCommandTest, WrongUsageSaysWhatIsWrong) {
  EXPECT_EQ(Conform({"--no-such-option"}), 2);
  EXPECT_EQ(Conform({"--implementation"}), 2);
  EXPECT_EQ(Conform({"--clause", "NOTHING-*"}), 2);
  EXPECT_EQ(Conform({"--host", "mars"}), 2);
  EXPECT_EQ(Conform({"--expectations", Path("none")}), 2);
  EXPECT_THAT(output_, HasSubstr("none"));
  EXPECT_EQ(Conform({"--expectations", folder_}), 2);
  EXPECT_THAT(output_, HasSubstr("folder"));
  EXPECT_EQ(Conform({"--expectations", Write("five", "a | fail | b | c | d\n")}), 2);
  EXPECT_THAT(output_, HasSubstr("line 1: 5 columns"));
  EXPECT_EQ(Conform({"--compare", folder_}), 2);
  EXPECT_EQ(Conform({"--list", "--clause", "NOTHING-*"}), 2);
}

// A flag that were ignored would make the answer one to another question.
TEST_F(ConformCommandTest, FlagsThatDoNotGoTogetherAreRefused) {
  const std::string tap =
      Write("one.tap", "ok 1 - dq.insert.tail\n  ---\n  verdict: pass\n  ...\n");
  const std::vector<std::vector<std::string>> commands = {
      {"--results", tap, "--implementation", "/no/such.so"},
      {"--results", tap, "--host", "wine"},
      {"--host", "wine", "--implementation", "mine.dll"},
      {"--self-check", "--clause", "DQ-*"},
      {"--self-check", "--report", Path("report")},
      {"--mutants", "--implementation", "mine.so"}};
  for (const std::vector<std::string>& command : commands) {
    EXPECT_EQ(Conform(command), 2) << output_;
    EXPECT_THAT(output_, HasSubstr(command[0]));
    EXPECT_THAT(output_, HasSubstr("do not go together"));
  }
}

TEST_F(ConformCommandTest, ReportStaysInItsFolder) {
  const std::string outside = Write("outside", "mine");
  std::filesystem::create_directories(Path("report"));
  for (const char* name : {"report.html", "junit.xml"}) {
    std::filesystem::create_symlink(outside, Path(absl::StrCat("report/", name)));
  }
  EXPECT_EQ(Conform({"--clause", "dq.insert.tail", "--report", Path("report")}), 0) << output_;
  EXPECT_EQ(ReadAll(outside), "mine");
  EXPECT_TRUE(std::filesystem::is_regular_file(
      std::filesystem::symlink_status(Path("report/report.html"))));
}

TEST_F(ConformCommandTest, WhatCannotBeWrittenIsASetUpFailure) {
  const std::vector<std::string> one = {"--clause", "dq.insert.tail"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), one.begin(), one.end());
    return Conform(more);
  };
  EXPECT_EQ(with({"--report", "/dev/full"}), 3);
  EXPECT_THAT(LastLine(), HasSubstr("/dev/full"));
  EXPECT_EQ(with({"--report", Write("file", "") + "/report"}), 3);
  EXPECT_EQ(with({"--write-expectations", "/dev/full"}), 3);
  EXPECT_THAT(LastLine(), HasSubstr("cannot write /dev/full: No space left on device"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  EXPECT_EQ(with({"--write-expectations", folder_}), 3);
}

TEST_F(ConformCommandTest, MissingImplementationIsASetUpFailure) {
  EXPECT_EQ(Conform({"--implementation", Path("none.so")}), 3);
  EXPECT_THAT(output_, HasSubstr("none.so"));
}

TEST_F(ConformCommandTest, ImplementationWhoseConstructorExitsIsASetUpFailure) {
  const std::string guest = Path("hostile.constructor.exit.so");
  std::filesystem::create_symlink(CANCELSAFE_HOSTILE_GUEST, guest);
  EXPECT_EQ(Conform({"--implementation", guest}), 3);
  EXPECT_THAT(output_, HasSubstr("exit status 0"));
}

TEST_F(ConformCommandTest, RoutineThatEndsTheProcessIsCountedAsACrash) {
  const std::string guest = Path("hostile.routine.exit.so");
  std::filesystem::create_symlink(CANCELSAFE_HOSTILE_GUEST, guest);
  EXPECT_EQ(Conform({"--implementation", guest, "--clause", "DQ-INS-*"}), 1);
  EXPECT_THAT(output_, HasSubstr("crash: dq.insert.idle"));
  EXPECT_THAT(LastLine(), StartsWith("does not conform: hostile.routine.exit.so: "));
}

// The name of a file may hold any bytes.
TEST_F(ConformCommandTest, NameOfAnyBytesIsEscaped) {
  const std::string guest = Path(
      "gu\xff"
      "est.so");
  std::filesystem::create_symlink(CANCELSAFE_REFERENCE_PATH, guest);
  EXPECT_EQ(Conform({"--implementation", guest, "--clause", "dq.insert.tail", "--report",
                     Path("report")}),
            0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("conforms: gu\\xffest.so"));
  EXPECT_THAT(LastLine(), HasSubstr("gu\\377est.so'")) << "the command can be copied";
}

// With stand-ins for Wine and the compiler: a driver whose results are whole, but which the
// loader cannot get out of the kernel again.
TEST_F(ConformCommandTest, UnderWineADriverThatCannotBeUnloadedHasNoResults) {
  for (const char* tool :
       {"wineserver", "wineboot", "x86_64-w64-mingw32-g++", "x86_64-w64-mingw32-gcc"}) {
    Write(tool, "#!/bin/sh\n");
  }
  Write("wine",
        "#!/bin/sh\nmkdir -p \"$WINEPREFIX/drive_c\"\n"
        "printf 'ok 1\\n# end\\n' > \"$WINEPREFIX/drive_c/cancelsafe.tap\"\n"
        "echo 'cannot unload'\nexit $LOADER\n");
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
  }
  const auto run = [&](const std::string& loader) {
    return RunCommand({"env", absl::StrCat("PATH=", folder_, ":/usr/bin:/bin"), "LOADER=" + loader,
                       "sh", CANCELSAFE_WINE_SCRIPT, Path("build"), Path("results.tap")});
  };
  EXPECT_EQ(run("0").status, 0);
  const CommandResult stays = run("1");
  EXPECT_EQ(stays.status, 3) << stays.output;
  EXPECT_THAT(stays.output, HasSubstr("it did not end or could not be unloaded"));
}

}  // namespace
}  // namespace cancelsafe::conformance
