// Mutations give programs, the same for one seed; what comparisons showed is used.
#include "fuzzers/drivers/program/driver_mutate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

DriverOperation Ioctl(uint32_t code, const std::vector<uint8_t>& data) {
  DriverOperation operation;
  operation.op = DriverOp::kIoctl;
  operation.code = code;
  operation.in = static_cast<uint32_t>(data.size());
  operation.data_size = static_cast<uint8_t>(data.size());
  std::copy(data.begin(), data.end(), operation.data);
  return operation;
}

TEST(DriverMutateTest, MutantsAreProgramsAndTheSameForOneSeed) {
  const auto learnt = std::make_unique<DriverLearnt>();
  learnt->AddKinds(true, true, true);
  learnt->AddCode(0x222004);
  learnt->AddLength(12);
  learnt->AddBytes({DriverOp::kIoctl, 0x222004, 4, 4, 0xfeedbeef});
  DriverMutator mutator(learnt.get());
  mutator.memory = schedule::MemoryModel::kTso;
  std::vector<uint8_t> bytes(kMaxDriverBytes);
  std::vector<uint8_t> other = bytes;
  std::vector<uint8_t> same(kMaxDriverBytes);
  size_t size = 0;
  size_t other_size = 0;
  std::set<std::string> texts;
  bool has_bytes = false;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    std::copy(bytes.begin(), bytes.end(), same.begin());
    const size_t same_size = mutator.MutateBytes(same.data(), size, same.size(), seed);
    if (seed % 3 == 2) {
      std::vector<uint8_t> child(kMaxDriverBytes);
      const size_t child_size = mutator.CrossBytes(bytes.data(), size, other.data(), other_size,
                                                   child.data(), child.size(), seed);
      other = bytes;
      other_size = size;
      bytes = child;
      size = child_size;
    } else {
      size = mutator.MutateBytes(bytes.data(), size, bytes.size(), seed);
      ASSERT_EQ(size, same_size);
      ASSERT_EQ(memcmp(bytes.data(), same.data(), size), 0);
    }
    DriverProgramFile file;
    DecodeDriverProgram(bytes.data(), size, &file.program);
    const std::string text = PrintDriverProgram(file);
    const absl::StatusOr<DriverProgramFile> parsed = ParseDriverProgram(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    EXPECT_EQ(file.program.schedule.memory, schedule::MemoryModel::kTso);
    has_bytes |= text.find("efbeedfe") != std::string::npos;
    texts.insert(text);
  }
  EXPECT_GT(texts.size(), 2500u);
  EXPECT_TRUE(has_bytes);
}

TEST(DriverLearntTest, WhatARequestBroughtIsToldFromWhatTheDriverWants) {
  const auto learnt = std::make_unique<DriverLearnt>();
  learnt->AddKinds(false, false, true);
  const DriverOperation operation = Ioctl(0x222000, {1, 2, 3, 4, 5, 6, 7, 8});
  LearnFromComparison(operation, 0x222000, 0x222804, 4, learnt.get());
  LearnFromComparison(operation, 12, 8, 4, learnt.get());  // the length
  LearnFromComparison(operation, 0x08070605, 0xcafe0001, 4, learnt.get());
  EXPECT_EQ(learnt->Vocabulary().codes, std::vector<uint32_t>{0x222804});
  Random random(1);
  uint32_t length = 0;
  ASSERT_TRUE(learnt->AnyLength(&random, &length));
  EXPECT_EQ(length, 12u);
  LearntBytes bytes;
  ASSERT_TRUE(learnt->AnyBytes(operation, &random, &bytes));
  EXPECT_EQ(bytes.at, 4);
  EXPECT_EQ(bytes.size, 4);
  EXPECT_EQ(bytes.value, 0xcafe0001u);
  EXPECT_FALSE(learnt->AnyBytes(Ioctl(0x222804, {1}), &random, &bytes));
}

TEST(DriverLearntTest, CodesThatTheDriverReckonsWithAreUndone) {
  const DriverOperation operation = Ioctl(0x222000, {});
  const auto codes = [&operation](uint32_t a, uint32_t b) {
    const auto learnt = std::make_unique<DriverLearnt>();
    learnt->AddKinds(false, false, true);
    LearnFromComparison(operation, a, b, 4, learnt.get());
    EXPECT_TRUE(learnt->Vocabulary().codes.empty());
    std::set<uint32_t> guesses;
    Random random(1);
    uint32_t guess = 0;
    for (int i = 0; i < 100 && learnt->AnyGuess(&random, &guess); ++i) guesses.insert(guess);
    return guesses;
  };
  // A distance from a base, a distance in steps of four, an exclusive or.
  EXPECT_EQ(codes(0x222000 - 0x220000, 0x2227c4 - 0x220000).count(0x2227c4), 1u);
  EXPECT_EQ(codes((0x222000 - 0x222000) >> 2, (0x2227c4 - 0x222000) >> 2).count(0x2227c4), 1u);
  EXPECT_EQ(codes(0x222000 ^ 0x5a5a5a5a, 0x2227c4 ^ 0x5a5a5a5a).count(0x2227c4), 1u);
  // What is not near a code stays out.
  EXPECT_TRUE(codes(17, 0x12345678).empty());
}

TEST(DriverLearntTest, ProcessesShareAFile) {
  const std::string path = ::testing::TempDir() + "/learnt";
  unlink(path.c_str());
  std::string error;
  DriverLearnt* const one = DriverLearnt::Map(path, &error);
  DriverLearnt* const other = DriverLearnt::Map(path, &error);
  ASSERT_NE(one, nullptr) << error;
  ASSERT_NE(other, nullptr) << error;
  one->AddKinds(false, true, true);
  one->AddCode(0x222004);
  one->AddCode(0x222004);
  one->AddRun(2, 7);
  one->AddRun(1, 3);
  const DriverVocabulary vocabulary = other->Vocabulary();
  EXPECT_FALSE(vocabulary.reads);
  EXPECT_TRUE(vocabulary.writes);
  EXPECT_EQ(vocabulary.codes, std::vector<uint32_t>{0x222004});
  EXPECT_EQ(vocabulary.driver_fibers, 2);
  EXPECT_EQ(vocabulary.allocations, 7);
  EXPECT_EQ(DriverLearnt::Map("/no/such/folder/learnt", &error), nullptr);
  EXPECT_EQ(error, "cannot use /no/such/folder/learnt: No such file or directory");
}

}  // namespace
}  // namespace cancelsafe::drivers
