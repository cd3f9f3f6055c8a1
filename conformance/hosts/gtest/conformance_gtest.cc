// The suite as GoogleTest: one test a case, named Conformance.<case id with dots
// as underscores>. --implementation FILE.so checks a shared object instead of
// the built-in table; every flag of GoogleTest works.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

Implementation implementation;

class ConformanceTest : public testing::Test {
 public:
  explicit ConformanceTest(int number) : number_(number) {}

  void TestBody() override {
    Report report;
    std::string error;
    ASSERT_TRUE(
        ReadTap(RunIsolated(number_ + 1, suite::CaseAt(number_), implementation), &report, &error))
        << error;
    ASSERT_EQ(report.cases.size(), 1u);
    const CaseReport& c = report.cases.front();
    RecordProperty("clauses", suite::CaseAt(number_).clauses);
    RecordProperty("verdict", CaseVerdictName(c.verdict));
    for (const auto& [ambiguity, reading] : c.readings) RecordProperty(ambiguity, reading);
    if (c.verdict == CaseVerdict::kNotProvided || c.verdict == CaseVerdict::kNotRun) {
      GTEST_SKIP() << CaseVerdictName(c.verdict) << ": " << c.reason;
    }
    EXPECT_FALSE(IsFailure(c.verdict)) << ConsoleFailures(report);
  }

 private:
  int number_;
};

void RegisterCases() {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    std::string name = suite::CaseAt(i).id;
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    testing::RegisterTest("Conformance", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [i]() -> ConformanceTest* { return new ConformanceTest(i); });
  }
}

}  // namespace

}  // namespace cancelsafe::conformance

int main(int argc, char** argv) {
  using cancelsafe::conformance::implementation;
  testing::InitGoogleTest(&argc, argv);
  implementation = cancelsafe::BuiltInImplementation();
  for (int i = 1; i < argc; ++i) {
    std::string value = argv[i];
    const std::string option = "--implementation";
    if (value == option && i + 1 < argc) {
      value = argv[++i];
    } else if (value.rfind(option + "=", 0) == 0) {
      value = value.substr(option.size() + 1);
    } else {
      fprintf(stderr, "unknown argument: %s\n", argv[i]);
      return 2;
    }
    std::string error;
    implementation = cancelsafe::Implementation();
    if (!cancelsafe::LoadImplementation(value, &implementation, &error)) {
      fprintf(stderr, "%s\n", error.c_str());
      return 3;
    }
  }
  cancelsafe::conformance::RegisterCases();
  return RUN_ALL_TESTS();
}
