// Files in either form: the strict reader explains, the total one accepts.
#include "fuzzers/program/program_file.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
  EXPECT_EQ(ErrorOf(bad), "format version 9 is not known; this build reads versions 1 to 2");
  EXPECT_EQ(ErrorOf(good.substr(0, 9)), "truncated: the header has 16 bytes, the file 9");
  EXPECT_EQ(ErrorOf(good.substr(0, 20)), "truncated: 2 operations need 32 bytes, the file has 20");
  EXPECT_EQ(ErrorOf(good.substr(0, 33)), "truncated: the last choice is incomplete");
  EXPECT_EQ(ErrorOf(good + std::string(kMaxProgramBytes, '\0')),
            absl::StrCat("oversized: a program has at most ", kMaxProgramBytes, " bytes, the file ",
                         kMaxProgramBytes + good.size()));
  bad = good;
  bad[12] = static_cast<char>(kMaxOperations + 1);
  EXPECT_EQ(ErrorOf(bad), absl::StrCat("the header names ", kMaxOperations + 1,
                                       " operations; at most ", kMaxOperations, " are allowed"));
  bad = good;
  bad[14] = 1;
  bad.insert(kProgramHeaderBytes, "\xfe\x01", 2);
  EXPECT_EQ(ErrorOf(bad),
            absl::StrCat("setting 254 is not known; this build knows 0 to ", kMaxSettings - 1));
  bad = good;
  bad[15] = static_cast<char>(1 << 2);
  bad.resize(34);
  EXPECT_EQ(ErrorOf(bad),
            "truncated: 2 operations and 1 stale choices need 36 bytes, the file has 34");
  bad[15] = static_cast<char>((schedule::kMaxStaleChoices + 1) << 2);
  EXPECT_EQ(ErrorOf(bad),
            absl::StrCat("the header names ", schedule::kMaxStaleChoices + 1,
                         " stale choices; at most ", schedule::kMaxStaleChoices, " are allowed"));
  bad = good;
  bad[14] = 1;
  bad.insert(kProgramHeaderBytes, "\xfe\x01", 2);
  bad[14] = kMaxSettings + 1;
  EXPECT_EQ(ErrorOf(bad), absl::StrCat("the header names ", kMaxSettings + 1, " settings; at most ",
                                       kMaxSettings, " are allowed"));
}

TEST(ProgramFileTest, SaysWhatIsWrongWithText) {
  EXPECT_TRUE(absl::StartsWith(ErrorOf("tagret csq"), "line 1: the first line must be 'target"));
}

std::string ReadTestFile(const std::string& name) {
  std::ifstream file(absl::StrCat(CANCELSAFE_PROGRAM_TESTDATA, "/", name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// One file of each version that was ever written, byte for byte: it must mean the same
// for ever. A new version needs a file here.
TEST(ProgramFileTest, EveryVersionKeepsDecoding) {
  for (int version = 1; version <= kProgramFormatVersion; ++version) {
    const std::string bytes = ReadTestFile(absl::StrCat("version_", version, ".bin"));
    ASSERT_GT(bytes.size(), kProgramHeaderBytes) << "version " << version << " has no file";
    EXPECT_EQ(bytes[3], version);
    const absl::StatusOr<ProgramFile> file = ReadProgramFile(bytes);
    ASSERT_TRUE(file.ok()) << file.status();
    const std::string text = ReadTestFile(absl::StrCat("version_", version, ".txt"));
    EXPECT_EQ(PrintProgram(file->program), text);
    // Fuzz engines read it as people do.
    Program loaded;
    LoadProgram(file->program.setup.family, reinterpret_cast<const uint8_t*>(bytes.data()),
                bytes.size(), &loaded);
    EXPECT_EQ(PrintProgram(loaded), text);
  }
}

TEST(ProgramFileTest, AVersionToComeIsRefusedByName) {
  std::string bytes = ReadTestFile(absl::StrCat("version_", kProgramFormatVersion, ".bin"));
  ASSERT_GT(bytes.size(), kProgramHeaderBytes);
  bytes[3] = kProgramFormatVersion + 1;
  EXPECT_EQ(ErrorOf(bytes),
            absl::StrCat("format version ", kProgramFormatVersion + 1,
                         " is not known; this build reads versions 1 to ", kProgramFormatVersion));
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
