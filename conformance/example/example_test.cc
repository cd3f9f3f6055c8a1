// The example as an implementer meets it: Cancelsafe is installed, the project is built
// against the package, the bug of its queue is found, and the corrected queue passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/testing/run_command.h"

namespace cancelsafe::conformance {
namespace {

using testing::HasSubstr;

class ExampleTest : public testing::Test {
 protected:
  // Installed and built once for all tests of this program.
  static void SetUpTestSuite() {
    std::filesystem::remove_all(Scratch());
    std::filesystem::create_directories(Scratch());
    Must({"cmake", "--install", CANCELSAFE_BUILD_DIR, "--component", "conformance", "--prefix",
          Scratch() + "/prefix"});
    for (const char* fixed : {"OFF", "ON"}) {
      const std::string build = absl::StrCat(Scratch(), "/", fixed);
      Must({"cmake", "-S", CANCELSAFE_EXAMPLE_DIR, "-B", build, absl::StrCat("-DFIXED=", fixed),
            absl::StrCat("-DCMAKE_C_COMPILER=", CANCELSAFE_C_COMPILER),
            absl::StrCat("-DCMAKE_PREFIX_PATH=", Scratch(), "/prefix")});
      Must({"cmake", "--build", build});
    }
  }

  static void Must(const std::vector<std::string>& words) {
    const CommandResult output = RunCommand(words);
    ASSERT_EQ(output.status, 0) << words[0] << " " << words[1] << "\n" << output.output;
  }

  static std::string Scratch() { return CANCELSAFE_SCRATCH_DIR; }
  static std::string Library(const std::string& fixed) {
    return absl::StrCat(Scratch(), "/", fixed, "/libmy_device_queue.so");
  }
  static CommandResult Test(const std::string& fixed, const std::string& name) {
    return RunCommand({"ctest", "--test-dir", absl::StrCat(Scratch(), "/", fixed), "-R", name,
                       "--output-on-failure"});
  }
  static CommandResult Cancelsafe(std::vector<std::string> words) {
    words.insert(words.begin(), Scratch() + "/prefix/bin/cancelsafe");
    return RunCommand(words);
  }
};

TEST_F(ExampleTest, SuiteFindsTheBugAndPassesTheCorrectedQueue) {
  const CommandResult broken = Test("OFF", "conformance");
  EXPECT_NE(broken.status, 0);
  EXPECT_THAT(broken.output, HasSubstr("fail: dq.remove-by-key.largest"));
  EXPECT_THAT(broken.output, HasSubstr("DQ-RKEY-03"));
  const CommandResult fixed = Test("ON", "conformance");
  EXPECT_EQ(fixed.status, 0) << fixed.output;
  EXPECT_TRUE(std::filesystem::exists(Scratch() + "/ON/my_device_queue.conformance/report.html"));
}

TEST_F(ExampleTest, FuzzTargetFindsTheBugAndNoneInTheCorrectedQueue) {
  const CommandResult broken = Test("OFF", "fuzz");
  EXPECT_NE(broken.status, 0);
  EXPECT_THAT(broken.output, HasSubstr("VERDICT "));
  // The explanation, and not the engine's stack and dump of bytes.
  EXPECT_THAT(broken.output, HasSubstr("queue-remove-by-key"));
  EXPECT_THAT(broken.output, testing::Not(HasSubstr("ERROR: libFuzzer")));
  EXPECT_THAT(broken.output, testing::Not(HasSubstr("Base64:")));
  // The command that it prints works.
  const size_t at = broken.output.find("replay: ");
  ASSERT_NE(at, std::string::npos) << broken.output;
  const std::string command = broken.output.substr(at + 8, broken.output.find('\n', at) - at - 8);
  const CommandResult replayed = RunCommand({"sh", "-c", command});
  EXPECT_EQ(replayed.status, 1) << command << "\n" << replayed.output;
  EXPECT_THAT(replayed.output, HasSubstr("VERDICT "));
  const CommandResult fixed = Test("ON", "fuzz");
  EXPECT_EQ(fixed.status, 0) << fixed.output;
  EXPECT_THAT(fixed.output, HasSubstr("100% tests passed"));
}

TEST_F(ExampleTest, InstalledCommandChecksAnImplementation) {
  const CommandResult fixed =
      Cancelsafe({"conform", "--clause", "DQ-*", "--implementation", Library("ON")});
  EXPECT_EQ(fixed.status, 0) << fixed.output;
  EXPECT_THAT(fixed.output, HasSubstr("conforms: libmy_device_queue.so"));
  EXPECT_EQ(Cancelsafe({"conform", "--implementation", Scratch() + "/none.so"}).status, 3);
}

TEST_F(ExampleTest, InstalledFuzzFindsTheBugAndPrintsACommandThatWorks) {
  const std::string work = Scratch() + "/campaign";
  const CommandResult found =
      Cancelsafe({"fuzz", "device-queue", "--seconds", "4", "--jobs=1", "--work", work, "--json",
                  Scratch() + "/fuzz.json", "--implementation", Library("OFF")});
  EXPECT_EQ(found.status, 1) << found.output;
  EXPECT_THAT(found.output, HasSubstr("VERDICT "));
  EXPECT_THAT(found.output, HasSubstr("replay: cancelsafe replay "));
  const CommandResult json = RunCommand({"cat", Scratch() + "/fuzz.json"});
  EXPECT_THAT(json.output, HasSubstr("\"cancelsafe_fuzz\": 1"));
  EXPECT_THAT(json.output, HasSubstr("\"replay\": \"cancelsafe replay "));
  const size_t at = found.output.find("replay: ");
  ASSERT_NE(at, std::string::npos);
  const std::string command = found.output.substr(at + 8, found.output.find('\n', at) - at - 8);
  const CommandResult replayed = RunCommand(
      {"sh", "-c", absl::StrCat("PATH='", Scratch(), "/prefix/bin':\"$PATH\" && ", command)});
  EXPECT_EQ(replayed.status, 1) << command << "\n" << replayed.output;
  EXPECT_EQ(Cancelsafe({"fuzz", "--sanitizer", "thread", "csq"}).status, 2);
}

// A self-check whose yardstick is wrong says so, with a status of its own.
TEST_F(ExampleTest, SelfCheckRefusesAWrongYardstick) {
  const CommandResult wrong =
      Cancelsafe({"conform", "--self-check", "--implementation", Library("OFF")});
  EXPECT_EQ(wrong.status, 4);
  EXPECT_THAT(wrong.output, HasSubstr("libmy_device_queue.so: dq.remove-by-key.largest: fail"));
}

}  // namespace
}  // namespace cancelsafe::conformance
