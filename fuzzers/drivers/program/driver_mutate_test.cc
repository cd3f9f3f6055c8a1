// Mutations give programs, the same for one seed; what comparisons showed is used.
#include "fuzzers/drivers/program/driver_mutate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
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

TEST(DriverMutateTest, WithAProfileNoOtherRequestsAreSent) {
  const auto learnt = std::make_unique<DriverLearnt>();
  learnt->AddKinds(true, true, true);
  learnt->AddLength(99);
  ProfileRequest setup;
  setup.op = DriverOp::kIoctl;
  setup.code = 0x222008;
  setup.in = {8, 12};
  const std::vector<ProfileRequest> requests = {setup};
  DriverMutator mutator(learnt.get());
  mutator.requests = &requests;
  std::vector<uint8_t> bytes(kMaxDriverBytes);
  size_t size = 0;
  int sent = 0;
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    size = mutator.MutateBytes(bytes.data(), size, bytes.size(), seed);
    DriverProgram program;
    DecodeDriverProgram(bytes.data(), size, &program);
    for (const DriverOperation& operation : program.operations) {
      if (!InfoOf(operation.op).request || !InfoOf(operation.op).file) continue;
      ++sent;
      EXPECT_EQ(operation.op, DriverOp::kIoctl);
      EXPECT_EQ(operation.code, 0x222008u);
      EXPECT_TRUE(setup.in.Has(operation.in)) << operation.in;
    }
  }
  EXPECT_GT(sent, 1000);
}

TEST(DriverLearntTest, WhatARequestBroughtIsToldFromWhatTheDriverWants) {
  const auto learnt = std::make_unique<DriverLearnt>();
  learnt->AddKinds(false, false, true);
  DriverOperation operation = Ioctl(0x222000, {1, 2, 3, 4, 5, 6, 7, 8});
  operation.in = 16;
  LearnFromComparison(operation, {0x222000, 0x222804, 4, 1}, learnt.get());
  LearnFromComparison(operation, {12, 16, 4, 2}, learnt.get());  // the length
  LearnFromComparison(operation, {0x08070605, 0xcafe0001, 4, 3}, learnt.get());
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

// The driver compares reckon(code of the request) with reckon(0x2227c4).
template <typename Reckon>
std::vector<uint32_t> CodesLearntFrom(const Reckon& reckon) {
  static uintptr_t site = 1000;
  ++site;
  const auto learnt = std::make_unique<DriverLearnt>();
  learnt->AddKinds(false, false, true);
  for (const uint32_t code : {0x222004u, 0x222550u}) {
    LearnFromComparison(Ioctl(code, {}), {reckon(code), reckon(0x2227c4), 4, site}, learnt.get());
  }
  return learnt->Vocabulary().codes;
}

TEST(DriverLearntTest, CodesThatTheDriverReckonsWithAreUndone) {
  const std::vector<uint32_t> wanted = {0x2227c4};
  EXPECT_EQ(CodesLearntFrom([](uint32_t code) { return code; }), wanted);
  EXPECT_EQ(CodesLearntFrom([](uint32_t code) { return code - 0x220000; }), wanted);
  EXPECT_EQ(CodesLearntFrom([](uint32_t code) { return (code - 0x222000) >> 2; }), wanted);
  EXPECT_EQ(CodesLearntFrom([](uint32_t code) { return code ^ 0x5a5a5a5a; }), wanted);
  // What does not go with the code says nothing of it: the one to begin with is left.
  EXPECT_EQ(CodesLearntFrom([](uint32_t code) { return code == 0x2227c4 ? 7u : 8u; }),
            std::vector<uint32_t>{kFirstControlCode});
}

TEST(DriverLearntTest, InputThatTheDriverReckonsWithIsUndone) {
  const auto learnt = std::make_unique<DriverLearnt>();
  // The word behind the first, with a key over it.
  const auto compare = [&learnt](const DriverOperation& operation) {
    uint32_t word = 0;
    memcpy(&word, operation.data + 4, 4);
    LearnFromComparison(operation, {word ^ 0x5a5aa5a5, 0x5a5aa5a5 ^ 0x01020304, 4, 2000},
                        learnt.get());
  };
  compare(Ioctl(0x222000, {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  compare(Ioctl(0x222000, {17, 21, 3, 42, 51, 60, 7, 99, 9}));
  Random random(1);
  LearntBytes bytes;
  ASSERT_TRUE(learnt->AnyBytes(Ioctl(0x222000, {}), &random, &bytes));
  EXPECT_EQ(bytes.at, 4);
  EXPECT_EQ(bytes.value, 0x01020304u);
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

TEST(DriverLearntTest, AFileThatAnotherVersionWroteIsRefusedAndKept) {
  const std::string path = ::testing::TempDir() + "/learnt";
  for (const size_t size : {size_t{104}, sizeof(DriverLearnt)}) {
    const std::string old(size, '\x07');
    ASSERT_TRUE(WriteFileAtomically(path, old).ok());
    std::string error;
    EXPECT_EQ(DriverLearnt::Map(path, &error), nullptr) << size;
    EXPECT_EQ(error, path + ": another version or program wrote this file; delete it, or name " +
                         "another");
    EXPECT_EQ(ReadFile(path).value_or(""), old) << size;
  }
  unlink(path.c_str());
}

}  // namespace
}  // namespace cancelsafe::drivers
