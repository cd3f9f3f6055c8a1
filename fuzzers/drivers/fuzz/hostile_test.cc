// Drivers that do what none may (world/testdata/hostile.c): each gets a verdict from a campaign and
// from the first look, and the process goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/build/drive_check.h"
#include "fuzzers/drivers/fuzz/drive_fuzz.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

struct Hostile {
  int number;
  const char* rule;
  const char* text;
};

class HostileTest : public ::testing::TestWithParam<Hostile> {
 protected:
  static std::string Path(const char* where) {
    return absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/hostile_", where, "_", GetParam().number, ".sys");
  }
  static void ExpectFound(const char* where) {
    std::string error;
    const std::unique_ptr<DriverImage> image = LoadDriver(Path(where), &error);
    ASSERT_NE(image, nullptr) << error;
    DriverRunner runner(image.get());
    DriveFuzzOptions options;
    options.runs_max = 2000;
    options.minimize_runs_max = 300;
    const DriveFuzzResult result = DriveFuzzer(&runner).Fuzz(options);
    ASSERT_EQ(result.findings.size(), 1u) << "in " << result.runs << " runs";
    const DriveFinding& finding = result.findings.front();
    EXPECT_TRUE(finding.confirmed);
    EXPECT_EQ(finding.verdict.rule, GetParam().rule) << VerdictLine(finding.verdict);
    EXPECT_THAT(finding.verdict.reason, ::testing::ContainsRegex(GetParam().text));
  }
  static void ExpectChecked(const char* where) {
    const DriveCheck check = CheckDriver(Path(where));
    EXPECT_TRUE(check.loaded) << check.text;
    EXPECT_FALSE(check.complete) << check.text;
    EXPECT_THAT(check.text, HasSubstr("stopped, rule "));
  }
};

TEST_P(HostileTest, IsFoundInItsEntryPoint) { ExpectFound("entry"); }
TEST_P(HostileTest, IsFoundInARequest) { ExpectFound("write"); }
TEST_P(HostileTest, IsSaidByTheFirstLook) {
  ExpectChecked("entry");
  ExpectChecked("write");
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileTest,
    ::testing::Values(Hostile{1, "livelock", "has run for 2 s of processor time without an end"},
                      Hostile{2, "crash", "an access violation"},
                      Hostile{3, "crash", "an access violation in the driver"},
                      Hostile{4, "crash", "stack, which is exhausted"},
                      Hostile{5, "bug-check", "ExRaiseStatus"},
                      Hostile{6, "crash", "in a service that the driver called"},
                      Hostile{7, "not-an-irp", "IoCompleteRequest"},
                      Hostile{8, "crash", "in a service that the driver called"},
                      Hostile{9, "crash", "a breakpoint in the driver"},
                      Hostile{10, "crash", "an illegal instruction in the driver"},
                      Hostile{11, "crash", "an access violation"}),
    [](const auto& info) { return absl::StrCat("Hostile", info.param.number); });

}  // namespace
}  // namespace cancelsafe::drivers
