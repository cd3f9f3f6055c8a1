// ./cancelsafe from outside: what it promises to a user, with real campaigns. Each test
// builds what it needs, so they run one at a time.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kSecondsMax = 1800;
constexpr char kRoot[] = CANCELSAFE_SOURCE_DIR;

class FrontDoorTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "cancelsafe-front-", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Runs a shell command in a folder of its own, where $C is ./cancelsafe and $R the tree.
  int Run(const std::string& command) {
    output_.clear();
    const absl::StatusOr<ChildEnd> end =
        RunProcess({"sh", "-c",
                    absl::StrCat("C='", kRoot, "/cancelsafe' R='", kRoot, "'; cd '", folder_,
                                 "' && ", command)},
                   kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output_, text); });
    EXPECT_TRUE(end.ok()) << end.status();
    if (!end.ok()) return -1;
    return end->status.signaled ? 128 + end->status.code : end->status.code;
  }
  void RunPrinted(const std::string& text, absl::string_view mark, int at_least);
  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string folder_;
  std::string output_;
};

TEST_F(FrontDoorTest, HandsOverToTheProgram) {
  EXPECT_EQ(Run("\"$C\" help"), 0);
  EXPECT_THAT(output_, HasSubstr("usage: cancelsafe SUBCOMMAND"));
  EXPECT_EQ(Run("\"$C\""), 2);
  EXPECT_EQ(Run("\"$C\" --no-install fuz"), 2);
  EXPECT_THAT(output_, HasSubstr("no subcommand 'fuz'; did you mean fuzz?"));
  EXPECT_EQ(Run("\"$C\" --version"), 0);
  EXPECT_THAT(output_, HasSubstr("cancelsafe 1."));
}

// With a build that takes six seconds.
TEST_F(FrontDoorTest, ABuildSaysHowFarItIs) {
  EXPECT_EQ(Run("mkdir -p bin build/dev && touch build/dev/build.ninja && cp \"$C\" . && "
                "printf '#!/bin/sh\necho \"$0 called\"\n' >bin/ninja && "
                "printf '#!/bin/sh\necho \"[1/4] a\"; sleep 6; echo \"[2/4] b\"; echo end; exit "
                "$FAILS\n' >bin/cmake && printf '#!/bin/sh\necho built\n' >build/dev/cancelsafe && "
                "chmod +x bin/* build/dev/cancelsafe && PATH=$PWD/bin:$PATH FAILS=0 ./cancelsafe"),
            0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("2 of 4 files built, about 0:06 left"));
  EXPECT_THAT(output_, HasSubstr("\nbuilt\n"));
  EXPECT_EQ(Run("PATH=$PWD/bin:$PATH FAILS=1 ./cancelsafe"), 3);
  EXPECT_THAT(output_, HasSubstr("end\ncancelsafe: the build failed; all of its output is in "));
  EXPECT_EQ(ReadFile(Path("build/dev/build.log")).value_or(""), "[1/4] a\n[2/4] b\nend\n");
}

TEST_F(FrontDoorTest, EverySubcommandHasHelp) {
  ASSERT_EQ(Run("\"$C\" help"), 0);
  std::istringstream lines(output_);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!absl::StartsWith(line, "  ") || line[2] == ' ' || absl::StartsWith(line, "  help") ||
        line[2] == '-') {
      continue;
    }
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_EQ(Run(absl::StrCat("\"$C\" ", name, " --help")), 0) << output_;
    EXPECT_THAT(output_, HasSubstr(absl::StrCat("usage: cancelsafe ", name)));
    ++count;
  }
  EXPECT_GE(count, 9);
}

TEST_F(FrontDoorTest, CompletionCompletesInBash) {
  EXPECT_EQ(Run("bash -c 'source <(\"$0\" completion bash); COMP_WORDS=(cancelsafe fuzz --san); "
                "COMP_CWORD=2; _cancelsafe; echo \"${COMPREPLY[@]}\"' \"$C\""),
            0);
  EXPECT_EQ(output_, "--sanitizer\n");
  EXPECT_EQ(Run("bash -c 'source <(\"$0\" completion bash); COMP_WORDS=(cancelsafe fuzz "
                "--sanitizer ad); COMP_CWORD=3; _cancelsafe; echo \"${COMPREPLY[@]}\"' \"$C\""),
            0);
  EXPECT_EQ(output_, "address\n");
  EXPECT_EQ(Run("bash -c 'source <(\"$0\" completion bash); COMP_WORDS=(cancelsafe fuzz dev); "
                "COMP_CWORD=2; _cancelsafe; echo \"${COMPREPLY[@]}\"' \"$C\""),
            0);
  EXPECT_EQ(output_, "device_queue\n");
  EXPECT_EQ(Run("\"$C\" completion zsh"), 0);
  EXPECT_THAT(output_, HasSubstr("bashcompinit"));
}

TEST_F(FrontDoorTest, PathsAreThoseOfTheCaller) {
  EXPECT_EQ(Run("cp \"$R\"/corpus/csq_fuzzer/seeds/fifo_order.txt a.txt && "
                "\"$C\" replay --html out.html a.txt"),
            0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("VERDICT pass"));
  EXPECT_TRUE(fs::exists(Path("out.html")));
}

TEST_F(FrontDoorTest, AFullDiskIsASetUpFailure) {
  EXPECT_EQ(Run("cp \"$R\"/corpus/csq_fuzzer/seeds/fifo_order.txt a.txt && "
                "\"$C\" replay a.txt >/dev/full"),
            3);
  EXPECT_THAT(output_, HasSubstr("cannot write to standard output"));
  EXPECT_EQ(Run("\"$C\" replay --html /dev/full a.txt"), 3);
  EXPECT_THAT(output_, HasSubstr("cannot write /dev/full"));
  struct stat found = {};
  ASSERT_EQ(stat("/dev/full", &found), 0);
  EXPECT_TRUE(S_ISCHR(found.st_mode));
  EXPECT_EQ(Run("\"$C\" corpus list csq --corpus \"$R\"/corpus >/dev/full"), 3);
  EXPECT_EQ(Run("\"$C\" help >&-"), 3);
}

// One line for each tool that prints what it found out: into a full disk, and with its
// output closed. Neither may look like a success, or like a violation.
TEST_F(FrontDoorTest, NoToolLosesItsOutputInSilence) {
  constexpr const char* kTools[] = {
      "help",
      "--version",
      "completion bash",
      "bench --rounds 1 --round-seconds 0.001 --filter small/optimized/fifo/0",
      "conform --list",
      "conform --clause dq.insert.tail",
      "corpus list csq --corpus \"$R\"/corpus",
      "explore --schedules 2 a.txt",
      "findings found",
      "fuzz --seconds 2 --sanitizer address --work work device_queue",
      "litmus --memory sc \"$R\"/fuzzers/memory/testdata/litmus.json",
      "mutants --list",
      "replay a.txt",
      "replay --quiet --digest a.txt",
  };
  ASSERT_EQ(Run("mkdir found && cp \"$R\"/corpus/csq_fuzzer/seeds/fifo_order.txt a.txt"), 0);
  for (const char* tool : kTools) {
    EXPECT_EQ(Run(absl::StrCat("\"$C\" ", tool, " >/dev/full")), 3) << tool << "\n" << output_;
    EXPECT_THAT(output_, HasSubstr("cannot write to standard output")) << tool;
    EXPECT_EQ(Run(absl::StrCat("\"$C\" ", tool, " >&-")), 3) << tool << "\n" << output_;
    EXPECT_THAT(output_, HasSubstr("standard output is closed")) << tool;
  }
}

TEST_F(FrontDoorTest, ACampaignFindsTheCanaryAndReplaysIt) {
  EXPECT_EQ(Run("\"$C\" fuzz --seconds 5 --sanitizer address --work work canary"), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("VERDICT "));
  EXPECT_EQ(Run("\"$C\" replay --quiet --implementation canary work/findings/*.txt"), 1) << output_;
  EXPECT_EQ(Run("\"$C\" findings work/findings explained"), 0) << output_;
  for (const char* file :
       {"input.bin", "input.txt", "minimized.txt", "page.html", "report.txt", "command.txt"}) {
    EXPECT_EQ(Run(absl::StrCat("find explained -path '*-*/", file, "' -size +0 | grep -q .")), 0)
        << file;
  }
  EXPECT_THAT(ReadFile(Path("explained/summary.md")).value_or(""),
              HasSubstr("/cancelsafe replay --implementation canary"));
}

TEST_F(FrontDoorTest, ACleanCampaignGoesOnWithAPrunedCorpus) {
  const std::string fuzz = "\"$C\" fuzz --seconds 3 --sanitizer address --work work device_queue";
  EXPECT_EQ(Run(fuzz), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("No findings."));
  EXPECT_EQ(Run("\"$C\" corpus prune device_queue --work work"), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("kept"));
  EXPECT_EQ(Run(fuzz), 0) << output_;
  EXPECT_EQ(Run("\"$C\" corpus prune device_queue --work nowhere"), 3);
}

TEST_F(FrontDoorTest, AGuestThatFailsTheCorpusIsFuzzedAllTheSame) {
  EXPECT_EQ(Run("\"$C\" fuzz --seconds 5 --sanitizer address --work work --implementation "
                "\"$R\"/build/asan/fuzzers/tools/spoilt_skipped_key.so device_queue"),
            1);
  EXPECT_THAT(output_, HasSubstr("fails files of the corpus"));
  EXPECT_THAT(output_, HasSubstr("Left out by the engines"));
  EXPECT_THAT(output_, HasSubstr("/cancelsafe replay --sanitizer address "));
}

// What is printed is a command: it works as it is, from the folder where it was printed.
TEST_F(FrontDoorTest, PrintedCommandsDoWhatTheySay) {
  const std::string guest = "\"$R\"/build/asan/fuzzers/tools/spoilt_skipped_key.so";
  EXPECT_EQ(Run(absl::StrCat("\"$C\" fuzz --seconds 5 --sanitizer address --work work "
                             "--implementation ",
                             guest, " device_queue")),
            1);
  RunPrinted(output_, "replay: ", 1);
}

// The commands that a tool has printed, or a file holds, behind `mark`: each is run as it
// is, and has to find a violation.
void FrontDoorTest::RunPrinted(const std::string& text, absl::string_view mark, int at_least) {
  int commands = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = line.find(mark);
    if (at == absl::string_view::npos) continue;
    const std::string command(line.substr(at + mark.size()));
    if (!absl::StrContains(command, "cancelsafe ")) continue;
    EXPECT_THAT(command, testing::StartsWith(absl::StrCat(kRoot, "/cancelsafe ")));
    EXPECT_EQ(Run(command), 1) << command << "\n" << output_;
    EXPECT_THAT(output_, HasSubstr("VERDICT ")) << command;
    ++commands;
  }
  EXPECT_GE(commands, at_least) << text;
}

TEST_F(FrontDoorTest, CommandsOfExploreMinimizeAndFindingsWork) {
  const std::string guest = "\"$R\"/build/asan/fuzzers/tools/spoilt_skipped_key.so";
  ASSERT_EQ(Run(absl::StrCat("printf 'target device-queue\\nfiber 0\\n  queue-insert 0\\n"
                             "  queue-insert-by-key 1 key=5\\n  queue-insert-by-key 2 key=7\\n"
                             "  queue-remove-by-key key=5\\n  queue-remove-by-key key=7\\n' "
                             ">a.txt && \"$C\" explore --sanitizer address --implementation ",
                             guest, " --schedules 4 a.txt")),
            1)
      << output_;
  RunPrinted(output_, "replay: ", 1);
  EXPECT_EQ(Run(absl::StrCat("\"$C\" replay --quiet --sanitizer address --implementation ", guest,
                             " --minimize small.txt --test a_test.cc a.txt")),
            1)
      << output_;
  RunPrinted(ReadFile(Path("small.txt")).value_or(""), "# replay: ", 1);
  EXPECT_THAT(ReadFile(Path("a_test.cc")).value_or(""), HasSubstr("TEST("));
  ASSERT_EQ(Run("mkdir found && cp small.txt found/"), 0);
  EXPECT_EQ(Run("\"$C\" findings found explained"), 0) << output_;
  RunPrinted(ReadFile(Path("explained/small/command.txt")).value_or(""), "", 1);
}

TEST_F(FrontDoorTest, CommandsOfVerifyWork) {
  const std::string guest = "\"$R\"/build/asan/fuzzers/tools/spoilt_skipped_key.so";
  EXPECT_EQ(Run(absl::StrCat("\"$C\" verify device_queue --calls 4 --fibers 1 --save worlds "
                             "--implementation ",
                             guest)),
            1)
      << output_;
  RunPrinted(output_, "replay: ", 1);
}

// As the whole corpus hangs with it, every file would cost its time.
TEST_F(FrontDoorTest, AGuestThatHangsIsToldOnceWithItsFile) {
  EXPECT_EQ(Run("\"$C\" fuzz --seconds 6 --sanitizer address --work work --implementation "
                "\"$R\"/build/asan/fuzzers/tools/spoilt_hanging_remove.so csq"),
            1);
  EXPECT_THAT(output_, HasSubstr("hangs in a file of the corpus"));
  const size_t first = output_.find("VERDICT livelock (time-out)");
  ASSERT_NE(first, std::string::npos) << output_;
  const size_t second = output_.find("VERDICT livelock (time-out)", first + 1);
  EXPECT_NE(second, std::string::npos) << "in the list of findings: " << output_;
  EXPECT_EQ(output_.find("VERDICT livelock (time-out)", second + 1), std::string::npos);
  EXPECT_THAT(output_, HasSubstr("corpus/csq_fuzzer/seeds/"));
}

// AFL++ does the same thing each time, and finds inputs by our mutator.
TEST_F(FrontDoorTest, AflFindsTheCanary) {
  if (access("/usr/lib/afl/libAFLDriver.a", R_OK) != 0) GTEST_SKIP() << "AFL++ is not installed";
  EXPECT_EQ(Run("\"$C\" fuzz --engine afl --seconds 20 --jobs 2 --sanitizer address --work work "
                "csq canary"),
            1)
      << output_;
  EXPECT_THAT(output_, HasSubstr("VERDICT "));
  for (const char* target : {"csq", "canary"}) {
    const std::string instance = absl::StrCat("work/afl/", target, "/address-0");
    EXPECT_EQ(Run(absl::StrCat("grep '^stability' ", instance, "/fuzzer_stats")), 0);
    EXPECT_THAT(output_, HasSubstr("100.00%")) << target;
    EXPECT_EQ(Run(absl::StrCat("ls ", instance, "/queue")), 0);
    EXPECT_THAT(output_, HasSubstr("op:cancelsafe_afl_mutator"));
  }
}

}  // namespace
}  // namespace cancelsafe
