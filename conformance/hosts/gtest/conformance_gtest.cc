// The suite as GoogleTest: one test a case, named Conformance.<case id with dots
// as underscores>. --implementation FILE checks a shared object or PE image instead of
// the built-in table; every flag of GoogleTest works.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "conformance/hosts/user/suite_run.h"
#include "conformance/report/writers.h"

namespace cancelsafe::conformance {

namespace {

Subject subject;

class ConformanceTest : public testing::Test {
 public:
  explicit ConformanceTest(int number) : number_(number) {}

  void TestBody() override {
    const CaseReport c = RunIsolated(number_, subject);
    RecordProperty("clauses", suite::CaseAt(number_).clauses);
    RecordProperty("verdict", CaseVerdictName(c.verdict));
    for (const auto& [ambiguity, reading] : c.readings) RecordProperty(ambiguity, reading);
    if (c.verdict == CaseVerdict::kNotProvided || c.verdict == CaseVerdict::kNotRun) {
      GTEST_SKIP() << CaseVerdictName(c.verdict) << ": " << c.reason;
    }
    Report report;
    report.cases.push_back(c);
    EXPECT_FALSE(IsFailure(c.verdict)) << ConsoleFailures(report);
  }

 private:
  int number_;
};

void RegisterCases() {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    // What checks this host's kernel alone says nothing of a shared object.
    if (!subject.path.empty() && suite::ChecksHostAlone(suite::CaseAt(i))) continue;
    std::string name = suite::CaseAt(i).id;
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    testing::RegisterTest("Conformance", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [i]() -> ConformanceTest* { return new ConformanceTest(i); });
  }
}

}  // namespace

}  // namespace cancelsafe::conformance

int main(int argc, char** argv) {
  using cancelsafe::conformance::Subject;
  using cancelsafe::conformance::subject;
  testing::InitGoogleTest(&argc, argv);
  subject = Subject::Of(cancelsafe::BuiltInImplementation());
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
    if (!Subject::Of(value, &subject, &error)) {
      fprintf(stderr, "%s\n", error.c_str());
      return 3;
    }
  }
  cancelsafe::conformance::RegisterCases();
  return RUN_ALL_TESTS();
}
