#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

constexpr char kText[] =
    "# A read races with its cancellation.\n"
    "target driver\n"
    "driver-fibers 1\n"
    "fail-allocation 3\n"
    "open 0\n"
    "read 1 0 out=8\n"
    "fiber 0\n"
    "  write 2 0 in=4\n"
    "  advance 10\n"
    "fiber 1\n"
    "  cancel 1\n"
    "  ioctl 3 0 code=0x222003 in=0 out=8 unreadable\n"
    "  ioctl 4 0 code=0x222000 in=8 out=8 data=01ff\n"
    "  cleanup 0\n"
    "  close 0\n"
    "schedule pct seed=17 parameter=1\n"
    "choices 3:1 9:7\n"
    "memory tso\n"
    "stale-choices 0:flush:1/2 7:read:3\n";

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(text);
  return file.ok() ? "" : std::string(file.status().message());
}

TEST(DriverTextTest, PrintsWhatItHasRead) {
  const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(kText);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->program.fibers, 2);
  EXPECT_EQ(file->program.operations.size(), 9u);
  EXPECT_EQ(file->program.operations[1].fiber, kBefore);
  EXPECT_EQ(file->program.operations[5].code, 0x222003u);
  EXPECT_TRUE(file->program.operations[5].unreadable);
  EXPECT_EQ(PrintDriverProgram(*file), kText);
}

TEST(DriverTextTest, ErrorsNameTheLineTheValueAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf("target csq\n"), "line 1: the first line must be 'target driver'");
  EXPECT_EQ(ErrorOf(""), "line 1: the first line must be 'target driver'");
  EXPECT_THAT(ErrorOf("target driver\nopne 0\n"), HasSubstr("line 2: unknown line 'opne'"));
  EXPECT_EQ(ErrorOf("target driver\nopen 4\n"), "line 2: 'open' takes a file from 0 to 3");
  EXPECT_EQ(ErrorOf("target driver\nread 1\n"),
            "line 2: 'read' takes a file from 0 to 3 after the request");
  EXPECT_EQ(ErrorOf("target driver\nread 1 0 in=4\n"),
            "line 2: 'read' does not take 'in=4'; it takes out=0..4096");
  EXPECT_EQ(
      ErrorOf("target driver\nioctl 1 0 code=0x222000 unreadable\n"),
      "line 2: 'ioctl' does not take 'unreadable'; it takes code=0..0xffffffff in=0..4096 data=HEX "
      "(at most 32 bytes, two digits each) out=0..4096 and, behind a code of METHOD_NEITHER, "
      "unreadable");
  EXPECT_THAT(
      ErrorOf("target driver\nwrite 1 0 in=4 data=abc\n"),
      HasSubstr("'write' does not take 'data=abc'; it takes in=0..4096 data=HEX (at most 32"));
  EXPECT_EQ(ErrorOf("target driver\nwrite 1 0 data=abcd in=1\n"),
            "line 2: data= has 2 bytes, and in= says 1; it has to be as many at least");
  EXPECT_EQ(ErrorOf("target driver\nread 1 0\nwrite 1 0\n"),
            "line 3: request 1 is sent twice; each has a number of its own");
  EXPECT_EQ(ErrorOf("target driver\nfiber 1\n"),
            "line 2: fibers are numbered from 0 in order; this line must be 'fiber 0'");
  EXPECT_THAT(ErrorOf("target driver\nchoices 3:1 3:0\n"), HasSubstr("ascending steps"));
  EXPECT_THAT(ErrorOf("target driver\nchoices 3:8\n"), HasSubstr("a fiber up to 7"));
  EXPECT_EQ(ErrorOf("target driver\nmemory arm\n"), "line 2: 'memory' takes one of sc, tso, rc11");
  EXPECT_THAT(ErrorOf("target driver\nstale-choices 0:flush\n"), HasSubstr("as in 12:read:1/2"));
  EXPECT_THAT(ErrorOf("target driver\nschedule rnd\n"), HasSubstr("takes one of choices, random"));
  EXPECT_EQ(ErrorOf("target driver\ndriver-fibers 4\n"),
            "line 2: 'driver-fibers' takes a number from 0 to 3");
}

TEST(DriverTextTest, KnowsItsTextsByTheTarget) {
  EXPECT_TRUE(IsDriverProgramText(kText));
  EXPECT_FALSE(IsDriverProgramText("# target driver\ntarget csq\n"));
  EXPECT_FALSE(IsDriverProgramText(""));
}

TEST(DriverTextTest, AnyBytesGiveAProgramOrAnError) {
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text = kText;
    for (int i = random.Below(6); i >= 0; --i) {
      text[static_cast<size_t>(random.Below(static_cast<int>(text.size())))] =
          static_cast<char>(random.Next());
    }
    const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(text);
    if (!file.ok()) continue;
    const std::string printed = PrintDriverProgram(*file);
    const absl::StatusOr<DriverProgramFile> again = ParseDriverProgram(printed);
    ASSERT_TRUE(again.ok()) << again.status() << "\n" << printed;
    EXPECT_EQ(PrintDriverProgram(*again), printed);
  }
}

TEST(DriverGenerateTest, ProgramsAreValidAndTheSameForOneSeed) {
  DriverVocabulary vocabulary;
  vocabulary.codes = {0x222000, 0x222004};
  vocabulary.driver_fibers = 2;
  vocabulary.allocations = 5;
  Random random(3);
  Random same(3);
  int with_failure = 0;
  int with_cancel = 0;
  for (int round = 0; round < 500; ++round) {
    DriverProgramFile file;
    file.program = GenerateDriverProgram(vocabulary, &random);
    DriverProgramFile other;
    other.program = GenerateDriverProgram(vocabulary, &same);
    const std::string text = PrintDriverProgram(file);
    EXPECT_EQ(text, PrintDriverProgram(other));
    const absl::StatusOr<DriverProgramFile> parsed = ParseDriverProgram(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    EXPECT_EQ(PrintDriverProgram(*parsed), text);
    EXPECT_EQ(parsed->program.operations, file.program.operations);
    with_failure += file.program.fail_allocation != 0;
    with_cancel += std::any_of(
        file.program.operations.begin(), file.program.operations.end(),
        [](const DriverOperation& operation) { return operation.op == DriverOp::kCancel; });
  }
  EXPECT_GT(with_failure, 50);
  EXPECT_GT(with_cancel, 100);
}

TEST(DriverGenerateTest, ADriverWithoutRequestsGetsNone) {
  DriverVocabulary vocabulary;
  vocabulary.reads = vocabulary.writes = false;
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    for (const DriverOperation& operation : GenerateDriverProgram(vocabulary, &random).operations) {
      EXPECT_FALSE(InfoOf(operation.op).request) << InfoOf(operation.op).word;
    }
  }
}

}  // namespace
}  // namespace cancelsafe::drivers
