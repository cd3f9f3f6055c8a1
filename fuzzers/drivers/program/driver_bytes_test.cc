// The byte form: any bytes are a program, what is encoded means the same, and prefixes do too.
#include "fuzzers/drivers/program/driver_bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

std::string TextOf(const DriverProgram& program) {
  DriverProgramFile file;
  file.program = program;
  return PrintDriverProgram(file);
}

std::vector<uint8_t> BytesOf(const DriverProgram& program) {
  std::vector<uint8_t> bytes(kMaxDriverBytes);
  bytes.resize(EncodeDriverProgram(program, bytes.data(), bytes.size()));
  return bytes;
}

// Encodes and decodes it, and prints and parses it: the same each time.
void ExpectTheSameInEveryForm(const DriverProgram& program) {
  const std::string text = TextOf(program);
  DriverProgram decoded;
  const std::vector<uint8_t> bytes = BytesOf(program);
  DecodeDriverProgram(bytes.data(), bytes.size(), &decoded);
  EXPECT_EQ(TextOf(decoded), text);
  EXPECT_EQ(decoded.operations, program.operations);
  EXPECT_TRUE(SameSchedule(decoded.schedule, program.schedule)) << text;
  const absl::StatusOr<DriverProgramFile> parsed = ParseDriverProgram(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
  EXPECT_EQ(TextOf(parsed->program), text);
  DriverProgram loaded;
  LoadDriverProgram(reinterpret_cast<const uint8_t*>(text.data()), text.size(), &loaded);
  EXPECT_EQ(TextOf(loaded), text);
}

TEST(DriverBytesTest, AnyBytesAreAProgramThatIsTheSameInEveryForm) {
  Random random(1);
  size_t operations = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<uint8_t> bytes(static_cast<size_t>(random.Below(700)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
    DriverProgram program;
    DecodeDriverProgram(bytes.data(), bytes.size(), &program);
    operations += program.operations.size();
    ASSERT_NO_FATAL_FAILURE(ExpectTheSameInEveryForm(program));
  }
  EXPECT_GT(operations, 5000u);
}

TEST(DriverBytesTest, GeneratedProgramsAreTheSameInEveryForm) {
  DriverVocabulary vocabulary;
  vocabulary.codes = {0x222000, 0x222004};
  vocabulary.driver_fibers = 2;
  vocabulary.allocations = 5;
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    DriverProgram program = GenerateDriverProgram(vocabulary, &random);
    NormalizeDriverProgram(&program);
    ASSERT_NO_FATAL_FAILURE(ExpectTheSameInEveryForm(program));
  }
}

TEST(DriverBytesTest, EveryPrefixIsAProgram) {
  const char text[] =
      "target driver\ndriver-fibers 1\nopen 0\nread 1 0 out=8\nfiber 0\n  cancel 1\nfiber 1\n"
      "  ioctl 2 0 code=0x222004 in=8 out=4 data=0102030405060708\n  advance 10\n"
      "schedule pct seed=17 parameter=1\nchoices 3:1 9:2\nmemory tso\nstale-choices 7:read:3\n";
  const absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(text);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::vector<uint8_t> bytes = BytesOf(file->program);
  size_t before = 0;
  for (size_t size = 0; size <= bytes.size(); ++size) {
    DriverProgram program;
    DecodeDriverProgram(bytes.data(), size, &program);
    EXPECT_GE(program.operations.size(), before);
    before = program.operations.size();
    ASSERT_NO_FATAL_FAILURE(ExpectTheSameInEveryForm(program));
  }
  EXPECT_EQ(before, file->program.operations.size());
  EXPECT_EQ(BytesOf(DriverProgram()).size(), kDriverHeaderBytes);
}

TEST(DriverBytesTest, ASmallCapacityLosesTheEndAlone) {
  DriverVocabulary vocabulary;
  Random random(5);
  DriverProgram program = GenerateDriverProgram(vocabulary, &random);
  NormalizeDriverProgram(&program);
  const size_t whole = BytesOf(program).size();
  std::vector<uint8_t> bytes(whole);
  for (size_t capacity = 0; capacity <= whole; ++capacity) {
    const size_t size = EncodeDriverProgram(program, bytes.data(), capacity);
    ASSERT_LE(size, capacity);
    EXPECT_EQ(size == 0, capacity < kDriverHeaderBytes);
    DriverProgram decoded;
    DecodeDriverProgram(bytes.data(), size, &decoded);
    for (size_t i = 0; i < decoded.operations.size(); ++i) {
      EXPECT_EQ(decoded.operations[i], program.operations[i]);
    }
  }
}

TEST(DriverBytesTest, RequestsThatAreSentTwiceGetAnotherNumber) {
  DriverProgram program;
  for (int i = 0; i < kMaxRequests + 3; ++i) {
    DriverOperation operation;
    operation.op = DriverOp::kRead;
    operation.request = 1;
    program.operations.push_back(operation);
  }
  NormalizeDriverProgram(&program);
  EXPECT_EQ(program.operations.size(), static_cast<size_t>(kMaxRequests));
  uint32_t sent = 0;
  for (const DriverOperation& operation : program.operations) {
    EXPECT_EQ(sent >> operation.request & 1, 0u);
    sent |= 1u << operation.request;
  }
  EXPECT_EQ(program.operations.front().request, 1);
}

}  // namespace
}  // namespace cancelsafe::drivers
