// Files in either form: the strict reader explains, the total one accepts.
#include "fuzzers/program/program_file.h"

#include <string>

#include "absl/strings/match.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

Program Example() {
  Program program;
  program.fibers = 2;
  program.operation_count = 2;
  program.operations[0] = {Op::kInsert, 1, 0, 0, 0, 0};
  program.operations[1] = {Op::kCancel, 1, 0, 0, 0, 0};
  program.fiber_of[0] = 0;
  program.fiber_of[1] = 1;
  program.schedule.choice_count = 1;
  program.schedule.choices[0] = {2, 1};
  return program;
}

std::string Bytes(const Program& program) {
  uint8_t bytes[kMaxProgramBytes];
  const size_t size = EncodeProgram(program, bytes, sizeof(bytes));
  return std::string(reinterpret_cast<char*>(bytes), size);
}

std::string ErrorOf(const std::string& contents) {
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(contents);
  return file.ok() ? "no error" : std::string(file.status().message());
}

TEST(ProgramFileTest, ReadsBothForms) {
  const absl::StatusOr<ProgramFile> bytes = ReadProgramFile(Bytes(Example()));
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_TRUE(bytes->program == Example());
  const absl::StatusOr<ProgramFile> text = ReadProgramFile("# why\n" + PrintProgram(Example()));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_TRUE(text->program == Example());
  EXPECT_EQ(text->header_comments.size(), 1u);
}

TEST(ProgramFileTest, EveryEncodingPassesTheStrictCheck) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Program program;
    GenerateProgram(static_cast<Family>(seed % kFamilyCount), seed, &program);
    ASSERT_TRUE(CheckProgramBytes(Bytes(program)).ok());
  }
}

TEST(ProgramFileTest, SaysWhatIsWrongWithBytes) {
  const std::string good = Bytes(Example());
  EXPECT_EQ(ErrorOf(""), "the file is empty");
  EXPECT_TRUE(absl::StartsWith(ErrorOf(std::string("\x7f") + "ELF"), "not a program: "));
  std::string bad = good;
  bad[3] = 9;
  EXPECT_EQ(ErrorOf(bad), "format version 9 is not known; this build reads version 1");
  EXPECT_EQ(ErrorOf(good.substr(0, 9)), "truncated: the header has 16 bytes, the file 9");
  EXPECT_EQ(ErrorOf(good.substr(0, 20)), "truncated: 2 operations need 32 bytes, the file has 20");
  EXPECT_EQ(ErrorOf(good.substr(0, 33)), "truncated: the last choice is incomplete");
  EXPECT_EQ(ErrorOf(good + std::string(kMaxProgramBytes, '\0')),
            "oversized: a program has at most 976 bytes, the file 1011");
  bad = good;
  bad[14] = 49;
  EXPECT_EQ(ErrorOf(bad), "the header names 49 operations; at most 48 are allowed");
}

TEST(ProgramFileTest, SaysWhatIsWrongWithText) {
  EXPECT_TRUE(absl::StartsWith(ErrorOf("tagret csq"), "line 1: the first line must be 'target"));
}

// One file of each version that was ever written, byte for byte: it must mean the
// same for ever.
TEST(ProgramFileTest, Version1KeepsDecoding) {
  const unsigned char kVersion1[] = {
      0xCA, 's',  0x00, 0x01,                          // tag, csq, version
      0x67, 0x0E, 0x12, 0x01,                          // setup, two fibers
      0x03, 0x01, 0x11, 0x00, 0x00, 0x00, 0x03, 0x00,  // pct, seed 17, three operations
      0x01, 0x22, 0x01, 0x01, 0x07, 0x00, 0x00, 0x00,  // insert-ex 2
      0x03, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x80,  // remove-next
      0x44, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // cancel 2, fiber 1
      0x03, 0x00, 0x01, 0x09, 0x00, 0x00,              // choices
  };
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(
      absl::string_view(reinterpret_cast<const char*>(kVersion1), sizeof(kVersion1)));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(PrintProgram(file->program),
            R"(target csq
queue ex insert=sorted peek=by-file lock=mutex status=pending
driver failing-insert=2 cancelling-insert=1 reentry=insert reentry-item=3
fiber 0
  insert-ex 2 context key=7 irql=dispatch selector=1
  remove-next selector=2
fiber 1
  cancel 2
schedule pct seed=17 parameter=1
choices 3:1 9:0
)");
}

TEST(LoadProgramTest, TakesTextBytesAndAnythingElse) {
  const auto load = [](Family family, const std::string& contents) {
    Program program;
    LoadProgram(family, reinterpret_cast<const uint8_t*>(contents.data()), contents.size(),
                &program);
    return program;
  };
  EXPECT_TRUE(load(Family::kCsq, Bytes(Example())) == Example());
  EXPECT_TRUE(load(Family::kCsq, PrintProgram(Example())) == Example());
  for (const char* other : {"", "x", "target csq\nnonsense", "target start-io\nfiber 0\n"}) {
    EXPECT_EQ(load(Family::kCsq, other).setup.family, Family::kCsq) << other;
  }
}

}  // namespace
}  // namespace cancelsafe
