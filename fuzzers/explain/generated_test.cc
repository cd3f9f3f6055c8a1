// See generated_test.h.
#include "fuzzers/explain/generated_test.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fuzzers/explain/test_text.h"
#include "fuzzers/program/text.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

std::string Step(const Setup& setup, const Operation& operation) {
  const FieldMasks fields = FieldsOf(operation.op);
  std::vector<std::string> arguments;
  if ((operation.flags & kWithContext) != 0) arguments.push_back("WithContext()");
  if ((operation.flags & kCancelable) != 0) arguments.push_back("Cancelable()");
  if ((operation.flags & kDeferred) != 0) arguments.push_back("DeferredStartIo()");
  if ((operation.flags & kNonCancelable) != 0) arguments.push_back("NonCancelable()");
  if ((operation.flags & kOtherQueue) != 0) arguments.push_back("OtherQueue()");
  if (operation.key != 0) arguments.push_back(absl::StrFormat("Key(%#xu)", operation.key));
  if (operation.selector != 0) {
    arguments.push_back(absl::StrCat("Selector(", operation.selector, ")"));
  }
  std::vector<std::string> parameters;
  std::string step = StepName(setup.family, operation.op);
  const bool by_name = step.empty();
  if (by_name) {
    step = "Operation";
    parameters.push_back(absl::StrCat("\"", OperationName(operation.op), "\""));
  }
  if (fields.item != 0 || by_name) parameters.push_back(absl::StrCat("Item(", operation.item, ")"));
  if (!arguments.empty()) {
    parameters.push_back(absl::StrCat("{", absl::StrJoin(arguments, ", "), "}"));
  }
  static constexpr const char* kLevels[] = {"", "At(1).", "At(2)."};
  return absl::StrCat("step.", kLevels[operation.irql > 2 ? 2 : operation.irql], step, "(",
                      absl::StrJoin(parameters, ", "), ");");
}

}  // namespace

std::string GeneratedTest(const Program& program, const GeneratedTestOptions& options) {
  const std::string suite = CamelCase(FamilyName(program.setup.family)) + "Regression";
  const std::string name = CamelCase(VerdictKey(options.verdict));
  std::string text;
  AddComment(VerdictLine(options.verdict), &text);
  for (const std::string& remark : options.remarks) AddComment(remark, &text);
  AddComment(
      "\nBuild: clang++-19 -std=c++17 THIS.cc -lcancelsafe_scenario -lgtest -lgtest_main\n"
      "CANCELSAFE_IMPLEMENTATION, in the environment or as a macro, names the shared\n"
      "object to test; without it the built-in implementation is tested.\n",
      &text);
  absl::StrAppend(&text, "#include \"cancelsafe/scenario.h\"\n#include \"gtest/gtest.h\"\n\n",
                  "namespace cancelsafe {\nnamespace {\n\n");
  if (!options.table.empty()) {
    AddComment(absl::StrCat("What happened when it failed:\n\n", options.table), &text);
  }
  absl::StrAppend(&text, "TEST(", suite, ", ", name, ") {\n  Scenario scenario(\"",
                  FamilyName(program.setup.family), "\");\n");
  for (absl::string_view line : absl::StrSplit(PrintProgram(program), '\n')) {
    if (absl::StartsWith(line, "queue ") || absl::StartsWith(line, "driver ")) {
      absl::StrAppend(&text, "  scenario.Setup(\"", line, "\");\n");
    }
  }
  for (int fiber = 0; fiber < program.fibers; ++fiber) {
    std::string steps;
    for (int i = 0; i < program.operation_count; ++i) {
      if (program.fiber_of[i] != fiber) continue;
      absl::StrAppend(&steps, "    ", Step(program.setup, program.operations[i]), "\n");
    }
    if (steps.empty()) {
      text += "  scenario.Fiber([](Steps&) {});\n";
    } else {
      absl::StrAppend(&text, "  scenario.Fiber([](Steps& step) {\n", steps, "  });\n");
    }
  }
  if (program.schedule.choice_count != 0) {
    std::vector<std::string> switches;
    for (int i = 0; i < program.schedule.choice_count; ++i) {
      switches.push_back(absl::StrCat("{", program.schedule.choices[i].step, ", ",
                                      program.schedule.choices[i].fiber, "}"));
    }
    absl::StrAppend(&text, "  scenario.Switches({", absl::StrJoin(switches, ", "), "});\n");
  }
  const schedule::Schedule& schedule = program.schedule;
  if (schedule.memory != schedule::MemoryModel::kUnnamed) {
    std::string choices;
    for (absl::string_view line : absl::StrSplit(PrintProgram(program), '\n')) {
      if (absl::ConsumePrefix(&line, "stale-choices ")) choices = std::string(line);
    }
    absl::StrAppend(&text, "  scenario.Memory(\"",
                    schedule::kMemoryModelNames[static_cast<int>(schedule.memory)], "\", \"",
                    choices, "\");\n");
  }
  if (options.points_at_every_access) text += "  scenario.PointsAtEveryAccess();\n";
  if (options.strict) text += "  scenario.Strict();\n";
  absl::StrAppend(&text,
                  "  const std::string report = scenario.Run();\n  EXPECT_TRUE(report.empty()) << "
                  "report;\n}\n\n",
                  "}  // namespace\n}  // namespace cancelsafe\n");
  return text;
}

}  // namespace cancelsafe
