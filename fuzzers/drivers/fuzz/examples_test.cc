// Every example driver: the broken form is found, by the rule that its file names, and what is
// found replays; the repaired form is clean. Budgets are schedules.
#include "fuzzers/drivers/fuzz/examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/drivers/fuzz/drive_session.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/profile_file.h"

namespace cancelsafe::drivers {
namespace {

constexpr const char* kExamples[] = {
#define CANCELSAFE_DRIVER_EXAMPLE(name) #name,
#define CANCELSAFE_DRIVER_EXAMPLE_OF_MEMORY(name) #name,
#define CANCELSAFE_DRIVER_EXAMPLE_OF_ENGINE(name) #name,
#include "fuzzers/drivers/examples/examples.def"
#undef CANCELSAFE_DRIVER_EXAMPLE
#undef CANCELSAFE_DRIVER_EXAMPLE_OF_MEMORY
#undef CANCELSAFE_DRIVER_EXAMPLE_OF_ENGINE
};

DriveFuzzOptions OptionsOf(int runs_max) {
  DriveFuzzOptions options;
  options.runs_max = runs_max;
  if (memory::kHooked) options.memory = schedule::MemoryModel::kRc11;
  return options;
}

DriverExample ExampleOf(const std::string& name) {
  const absl::StatusOr<std::vector<DriverExample>> examples =
      LoadExamples(CANCELSAFE_EXAMPLES_SOURCE_DIR);
  EXPECT_TRUE(examples.ok()) << examples.status();
  for (const DriverExample& example : *examples) {
    if (example.name == name) return example;
  }
  ADD_FAILURE() << "no example " << name;
  return DriverExample();
}

class ExamplesTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<DriverImage> Load(const std::string& form) {
    std::string error;
    auto image = LoadDriver(
        absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", GetParam(), ".", form, ".sys"), &error);
    EXPECT_NE(image, nullptr) << error;
    return image;
  }
  // As the driver's command does: by what the profile beside it says, if there is one.
  void TakeProfile(const DriverImage& image, DriverRunner* runner) {
    const std::string path = ProfileBeside(image.path());
    if (path.empty()) return;
    absl::StatusOr<DriverProfile> read = ReadDriverProfile(path);
    ASSERT_TRUE(read.ok()) << read.status();
    profile_ = *std::move(read);
    runner->SetProfile(&profile_);
  }

  DriverProfile profile_;
};

TEST_P(ExamplesTest, TheBrokenFormIsFoundMadeSmallAndReplays) {
  const DriverExample example = ExampleOf(GetParam());
  if (example.of_memory && !memory::kHooked) GTEST_SKIP() << "shows with the memory engine only";
  if (example.of_engine) GTEST_SKIP() << "driver_target_test finds it";
  const std::unique_ptr<DriverImage> image = Load("broken");
  ASSERT_NE(image, nullptr);
  EXPECT_TRUE(image->missing_services().empty()) << image->missing_services().front();
  DriverRunner runner(image.get());
  TakeProfile(*image, &runner);
  const DriveFuzzResult result = DriveFuzzer(&runner).Fuzz(OptionsOf(60000));
  ASSERT_EQ(result.findings.size(), 1u) << "in " << result.runs << " runs";
  const DriveFinding& finding = result.findings.front();
  const std::string text = FindingText(finding, image->path(), "", "here", "FILE");
  EXPECT_TRUE(finding.confirmed) << text;
  EXPECT_THAT(example.rules, ::testing::Contains(finding.verdict.rule)) << text;
  EXPECT_LE(finding.program.operations.size(), 6u) << text;
  EXPECT_LE(finding.preemptions, 2) << text;
  RecordProperty("runs", static_cast<int>(result.runs));
  const absl::StatusOr<DriverProgramFile> saved = ParseDriverProgram(text);
  ASSERT_TRUE(saved.ok()) << saved.status();
  for (int i = 0; i < 20; ++i) {
    const DriverRunOutput& output = runner.Run(saved->program, DriverRunOptions());
    EXPECT_TRUE(SameFinding(output.verdict, finding.verdict)) << VerdictLine(output.verdict);
  }
}

void ExpectClean(const DriverImage& image, DriverRunner* runner) {
  const DriveFuzzResult result = DriveFuzzer(runner).Fuzz(OptionsOf(6000));
  for (const DriveFinding& finding : result.findings) {
    ADD_FAILURE() << FindingText(finding, image.path(), "", "here", "FILE");
  }
  for (const auto& [reason, count] : result.not_judged) {
    ADD_FAILURE() << count << " runs were not judged: " << reason;
  }
  EXPECT_GT(result.operations, result.runs);
}

TEST_P(ExamplesTest, TheRepairedFormIsClean) {
  const std::unique_ptr<DriverImage> image = Load("repaired");
  ASSERT_NE(image, nullptr);
  DriverRunner runner(image.get());
  TakeProfile(*image, &runner);
  ExpectClean(*image, &runner);
}

TEST(MinifilterTest, MayLeaveWhatItPendsToCancellationAtCleanup) {
  std::string error;
  const auto image = LoadDriver(CANCELSAFE_EXAMPLES_DIR "/filter_leaves_cleanup.sys", &error);
  ASSERT_NE(image, nullptr) << error;
  DriverRunner runner(image.get());
  ExpectClean(*image, &runner);
}

INSTANTIATE_TEST_SUITE_P(All, ExamplesTest, ::testing::ValuesIn(kExamples),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace cancelsafe::drivers
