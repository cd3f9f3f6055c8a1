// The same program is the same run: in whatever order programs are run, in any
// process, whatever its addresses are. With --print-digests the program prints
// the digest of each family's runs, which can be compared across machines and
// flavours of build.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {
namespace {

constexpr int kInputs = 10000;
constexpr Family kFamilies[kFamilyCount] = {Family::kCsq, Family::kDeviceQueue, Family::kStartIo,
                                            Family::kCallbackDataQueue};

// Generated programs, mutated ones, and arbitrary bytes.
Program InputNumber(Family family, int number) {
  const uint64_t seed = 0x10000u * static_cast<uint64_t>(family) + static_cast<uint64_t>(number);
  Program program;
  if (number % 4 == 3) {
    Random random(seed);
    uint8_t bytes[400];
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next() >> 56);
    DecodeProgram(family, bytes, static_cast<size_t>(random.Below(sizeof bytes + 1)), &program);
    return program;
  }
  GenerateProgram(family, seed, &program);
  if (number % 4 == 2) MutateProgram(seed + 1, &program);
  return program;
}

uint64_t DigestOf(Runner* runner, const Program& program) {
  runner->Run(program);
  return runner->Digest();
}

uint64_t Combine(const std::vector<uint64_t>& digests) {
  uint64_t hash = 0;
  for (const uint64_t digest : digests) {
    hash = (hash ^ digest) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

std::vector<uint64_t> DigestsOf(Family family) {
  const char* missing = nullptr;
  Runner runner(family, BuiltInImplementation(), RunnerOptions(), &missing);
  std::vector<uint64_t> digests;
  for (int i = 0; i < kInputs; ++i) digests.push_back(DigestOf(&runner, InputNumber(family, i)));
  return digests;
}

std::string AllDigests() {
  std::string text;
  for (const Family family : kFamilies) {
    char line[80];
    snprintf(line, sizeof line, "%s %016llx\n", FamilyName(family),
             static_cast<unsigned long long>(Combine(DigestsOf(family))));
    text += line;
  }
  return text;
}

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[256];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  return pclose(pipe) == 0 ? output : "the command failed: " + output;
}

class DeterminismOf : public testing::TestWithParam<Family> {};

INSTANTIATE_TEST_SUITE_P(Families, DeterminismOf, testing::ValuesIn(kFamilies),
                         [](const testing::TestParamInfo<Family>& info) {
                           std::string name = FamilyName(info.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST_P(DeterminismOf, ARunDoesNotDependOnTheRunsBeforeIt) {
  const std::vector<uint64_t> digests = DigestsOf(GetParam());
  const char* missing = nullptr;
  Runner runner(GetParam(), BuiltInImplementation(), RunnerOptions(), &missing);
  int differences = 0;
  for (int i = kInputs - 1; i >= 0; --i) {
    differences += DigestOf(&runner, InputNumber(GetParam(), i)) != digests[i];
  }
  EXPECT_EQ(differences, 0);
}

TEST_P(DeterminismOf, TheDigestTellsProgramsApart) {
  std::vector<uint64_t> digests = DigestsOf(GetParam());
  std::sort(digests.begin(), digests.end());
  const auto distinct = std::unique(digests.begin(), digests.end()) - digests.begin();
  EXPECT_GT(distinct, kInputs / 4);
}

TEST(Determinism, IsTheSameInEveryProcess) {
  const std::string command = "exec /proc/" + std::to_string(getpid()) + "/exe --print-digests";
  const std::string first = OutputOf(command);
  EXPECT_EQ(first, AllDigests());
  EXPECT_EQ(first, OutputOf(command));
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--print-digests") == 0) {
    fputs(cancelsafe::AllDigests().c_str(), stdout);
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
