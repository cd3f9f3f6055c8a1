// The shared object's entry points, called as AFL++ calls them.
#include <stdlib.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_learnt.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "gtest/gtest.h"

extern "C" {
void* afl_custom_init(void* afl, unsigned seed);
void afl_custom_deinit(void* mutator);
size_t afl_custom_fuzz(void* mutator, const uint8_t* data, size_t size, uint8_t** out,
                       const uint8_t* other, size_t other_size, size_t size_max);
}

namespace cancelsafe {
namespace {

constexpr size_t kEngineMax = 1 << 20;

std::string Generated(Family family, uint64_t seed) {
  Program program;
  GenerateProgram(family, seed, &program);
  uint8_t bytes[kMaxProgramBytes];
  return std::string(reinterpret_cast<char*>(bytes), EncodeProgram(program, bytes, sizeof bytes));
}

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

class AflMutatorTest : public testing::Test {
 protected:
  ~AflMutatorTest() override { unsetenv("CANCELSAFE_FAMILY"); }

  // A hundred inputs made of two, in turn from one mutator.
  static std::vector<std::string> Mutate(const char* family, unsigned seed, size_t size_max) {
    setenv("CANCELSAFE_FAMILY", family, 1);
    void* mutator = afl_custom_init(nullptr, seed);
    const std::string a = Generated(Family::kDeviceQueue, 1),
                      b = Generated(Family::kDeviceQueue, 2);
    std::vector<std::string> inputs;
    for (int i = 0; i < 100; ++i) {
      uint8_t* out = nullptr;
      const size_t size =
          afl_custom_fuzz(mutator, Bytes(a), a.size(), &out, i % 2 ? Bytes(b) : nullptr,
                          i % 2 ? b.size() : 0, size_max);
      inputs.emplace_back(reinterpret_cast<char*>(out), size);
    }
    afl_custom_deinit(mutator);
    return inputs;
  }
};

TEST_F(AflMutatorTest, GivesManyDifferentProgramsOfTheFamily) {
  const std::vector<std::string> inputs = Mutate("device-queue", 1, kEngineMax);
  for (const std::string& input : inputs) {
    EXPECT_EQ(DetectFamily(Bytes(input), input.size()), Family::kDeviceQueue);
  }
  EXPECT_GT(std::set<std::string>(inputs.begin(), inputs.end()).size(), 80u);
}

TEST_F(AflMutatorTest, TheSeedDecidesEverything) {
  EXPECT_EQ(Mutate("device-queue", 7, kEngineMax), Mutate("device-queue", 7, kEngineMax));
  EXPECT_NE(Mutate("device-queue", 7, kEngineMax), Mutate("device-queue", 8, kEngineMax));
}

TEST_F(AflMutatorTest, KeepsToTheEnginesSize) {
  for (const std::string& input : Mutate("device-queue", 1, 64)) {
    EXPECT_LE(input.size(), 64u);
    EXPECT_GE(input.size(), kProgramHeaderBytes);
  }
}

// AFL++ would go on without a mutator, and crash.
TEST_F(AflMutatorTest, UnknownFamilyEndsTheProcessAndIsNamed) {
  EXPECT_EXIT(afl_custom_init(nullptr, 1), testing::ExitedWithCode(2),
              "CANCELSAFE_FAMILY is ''; it must be one of csq, ");
  setenv("CANCELSAFE_FAMILY", "queue", 1);
  EXPECT_EXIT(afl_custom_init(nullptr, 1), testing::ExitedWithCode(2),
              "CANCELSAFE_FAMILY is 'queue'; it must be one of csq, ");
}

TEST_F(AflMutatorTest, GivesProgramsForADriverFromWhatIsLearnt) {
  const std::string learnt = testing::TempDir() + "/afl_mutator_learnt";
  unlink(learnt.c_str());
  setenv("CANCELSAFE_LEARNT", learnt.c_str(), 1);
  std::string error;
  drivers::DriverLearnt* const known = drivers::DriverLearnt::Map(learnt, &error);
  ASSERT_NE(known, nullptr) << error;
  known->AddKinds(/*reads=*/false, /*writes=*/false, /*controls=*/true);
  known->AddCode(0x222aa4);
  int requests = 0;
  for (const std::string& input : Mutate("driver", 1, kEngineMax)) {
    drivers::DriverProgram program;
    drivers::DecodeDriverProgram(Bytes(input), input.size(), &program);
    for (const drivers::DriverOperation& operation : program.operations) {
      requests += operation.op == drivers::DriverOp::kIoctl && operation.code == 0x222aa4;
    }
  }
  EXPECT_GT(requests, 50);
  setenv("CANCELSAFE_LEARNT", "/no/such/folder/learnt", 1);
  setenv("CANCELSAFE_FAMILY", "driver", 1);
  EXPECT_EXIT(afl_custom_init(nullptr, 1), testing::ExitedWithCode(2),
              "CANCELSAFE_LEARNT: cannot use /no/such/folder/learnt: No such file");
  unsetenv("CANCELSAFE_LEARNT");
}

TEST_F(AflMutatorTest, FamilyMayBeSpeltAsInFileNames) {
  EXPECT_EQ(Mutate("device_queue", 7, kEngineMax), Mutate("device-queue", 7, kEngineMax));
}

}  // namespace
}  // namespace cancelsafe
