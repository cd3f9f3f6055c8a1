// See driver_generated_test.h.
#include "fuzzers/drivers/explain/driver_generated_test.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/explain/test_text.h"

namespace cancelsafe::drivers {

std::string DriverGeneratedTest(const DriverObservation& observation, const std::string& driver,
                                const std::string& origin) {
  std::string text;
  AddComment(VerdictLine(observation.verdict), &text);
  AddComment(absl::StrCat("From ", origin, "."), &text);
  AddComment(
      "\nBuild: clang++-19 -std=c++17 THIS.cc -lcancelsafe_scenario -lgtest -lgtest_main\n"
      "CANCELSAFE_DRIVER, in the environment, names another build of the driver.\n",
      &text);
  absl::StrAppend(&text,
                  "#include \"cancelsafe/driver_scenario.h\"\n#include \"gtest/gtest.h\"\n\n"
                  "namespace cancelsafe {\nnamespace {\n\n");
  AddComment(absl::StrCat("What happened when it failed:\n\n", DriverTableOf(observation)), &text);
  absl::StrAppend(&text, "TEST(DriverRegression, ", CamelCase(VerdictKey(observation.verdict)),
                  ") {\n  DriverScenario scenario(\"",
                  absl::StrReplaceAll(driver, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\");\n");
  DriverProgramFile file;
  file.program = observation.program;
  const std::string program = PrintDriverProgram(file);
  for (const absl::string_view line : absl::StrSplit(program, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "  scenario.Line(\"", line, "\");\n");
  }
  absl::StrAppend(&text,
                  "  const std::string report = scenario.Run();\n  EXPECT_TRUE(report.empty()) << "
                  "report;\n}\n\n}  // namespace\n}  // namespace cancelsafe\n");
  return text;
}

}  // namespace cancelsafe::drivers
