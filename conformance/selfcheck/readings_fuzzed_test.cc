// Every reading of every ambiguity again, under programs: what the suite accepts, no program
// may blame, and what the suite refuses, some program has to find. So conform and fuzz are
// of one mind about each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/affordable.h"
#include "conformance/selfcheck/readings.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/run_testing.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr int kPrograms = Affordable(1500);
// What a refused reading is looked for with: the first that shows it ends the search.
constexpr int kProgramsMax = 20000;

// There are two things of that name: this is a guest, the other is how a run is judged.
using Guest = conformance::Reading;

// The families that the cases of a reading are about: their names begin with it.
std::vector<Family> FamiliesOf(const Guest& reading) {
  const std::string cases = reading.cases;
  std::vector<Family> families;
  const auto about = [&](const char* prefix) { return cases.rfind(prefix, 0) == 0; };
  if (about("csq") || about("c*q")) families.push_back(Family::kCsq);
  if (about("cbdq") || about("c*q")) families.push_back(Family::kCallbackDataQueue);
  if (about("dq")) families.push_back(Family::kDeviceQueue);
  if (about("sio")) families.push_back(Family::kStartIo);
  return families;
}

class ReadingUnderPrograms : public testing::TestWithParam<Guest> {
 protected:
  void SetUp() override { conformance::defect = GetParam().variant; }
  void TearDown() override { conformance::defect = conformance::Defect::kNoDefect; }
};

TEST_P(ReadingUnderPrograms, IsBlamedIfTheSuiteRefusesItAndElseNot) {
  const Guest& reading = GetParam();
  const std::vector<Family> families = FamiliesOf(reading);
  ASSERT_FALSE(families.empty()) << reading.cases;
  bool blamed = false;
  for (const Family family : families) {
    RunnerOptions options;
    options.reading = Reading::kPortable;
    Bench bench(family, reading.implementation(), options);
    ASSERT_EQ(bench.missing(), nullptr);
    const int programs = reading.accepted ? kPrograms : kProgramsMax;
    for (int seed = 0; seed < programs && !blamed; ++seed) {
      Program program;
      GenerateProgram(family, static_cast<uint64_t>(seed), &program);
      const Verdict& verdict = bench.Run(program);
      blamed = !verdict.ok() && verdict.kind != VerdictKind::kUnknown;
      EXPECT_FALSE(blamed && reading.accepted) << reading.ambiguity << ": " << reading.what << "\n"
                                               << VerdictLine(verdict) << "\n"
                                               << PrintProgram(program);
    }
  }
  EXPECT_EQ(blamed, !reading.accepted) << reading.ambiguity << ": " << reading.what;
}

std::vector<Guest> ReadingsWithGuests() {
  std::vector<Guest> readings;
  for (const Guest& reading : conformance::Readings()) {
    if (reading.implementation != nullptr) readings.push_back(reading);
  }
  return readings;
}

INSTANTIATE_TEST_SUITE_P(Readings, ReadingUnderPrograms, testing::ValuesIn(ReadingsWithGuests()),
                         [](const testing::TestParamInfo<Guest>& info) {
                           std::string name = info.param.ambiguity;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::to_string(info.index);
                         });

}  // namespace
}  // namespace cancelsafe
