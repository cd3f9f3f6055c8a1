// Runs all litmus tests under all models, and shows that a comparison can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "fuzzers/memory/litmus/compare.h"
#include "fuzzers/memory/litmus/report.h"
#include "fuzzers/memory/litmus/run.h"

namespace cancelsafe::litmus {
namespace {

using memory::Model;
using ::testing::HasSubstr;

// Those of testdata/<name>.
std::vector<Case> TestsOf(const std::string& name) {
  std::ifstream file(CANCELSAFE_LITMUS_FOLDER "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  absl::StatusOr<std::vector<Case>> tests = ParseTests(text.str());
  EXPECT_TRUE(tests.ok()) << tests.status();
  return tests.ok() ? *std::move(tests) : std::vector<Case>();
}

std::vector<Case> AllTests() { return TestsOf("litmus.json"); }

Case Named(const std::string& name) {
  for (Case& test : AllTests()) {
    if (test.name == name) return test;
  }
  ADD_FAILURE() << "no test " << name;
  return Case();
}

class LitmusTest : public ::testing::TestWithParam<Model> {};
INSTANTIATE_TEST_SUITE_P(Models, LitmusTest, ::testing::ValuesIn(memory::kModels),
                         [](const auto& info) { return ModelName(info.param); });

void ExpectAsExpected(const Case& test, Model model) {
  const Result result = RunAll(test, model);
  const Comparison comparison = Compare(test, model, result);
  EXPECT_TRUE(comparison.as_expected) << test.name << "\n" << Describe(comparison, result);
  const Expectation& expected =
      comparison.as_machine ? test.rc11_machine : test.expected[static_cast<int>(model)];
  EXPECT_EQ(result.executions, expected.executions) << test.name;
}

TEST_P(LitmusTest, EveryTestHasExactlyTheExpectedOutcomesAndRace) {
  const std::vector<Case> tests = AllTests();
  ASSERT_EQ(tests.size(), 119u);
  for (const Case& test : tests) ExpectAsExpected(test, GetParam());
}

TEST_P(LitmusTest, SoHaveThoseThatExcuseAStrongerOrder) {
  const std::vector<Case> tests = TestsOf("weakened.json");
  ASSERT_EQ(tests.size(), 3u);
  for (const Case& test : tests) ExpectAsExpected(test, GetParam());
}

TEST(Litmus, TheFourTestsWhoseScOrderMattersAgreeWithTheMachine) {
  for (const char* name : {"IRIW+acq-sc", "Z6.U", "CL+bit-found-acq", "CL+bit-found-rlx"}) {
    const Case test = Named(name);
    ASSERT_TRUE(test.has_rc11_machine);
    EXPECT_TRUE(Compare(test, Model::kRc11, RunAll(test, Model::kRc11)).as_machine) << name;
  }
}

TEST(Litmus, AMissingOutcomeIsToldApartFromASurplusOne) {
  const Case test = Named("SB+rlx");
  Result result = RunAll(test, Model::kRc11);
  result.outcomes.erase(result.outcomes.begin());
  const Outcome strange = {{"0:a", 5}};
  result.outcomes.insert(strange);
  const Comparison comparison = Compare(test, Model::kRc11, result);
  EXPECT_FALSE(comparison.as_expected);
  ASSERT_EQ(comparison.missing.size(), 1u);
  ASSERT_EQ(comparison.surplus.size(), 1u);
  EXPECT_EQ(comparison.surplus[0], strange);
  EXPECT_THAT(Describe(comparison, result), HasSubstr("missing  0:a=0 1:b=0 x=1 y=1"));
}

TEST(Litmus, TheWrongModelIsNoticed) {
  const Case test = Named("SB+rlx");
  EXPECT_FALSE(Compare(test, Model::kRc11, RunAll(test, Model::kSc)).as_expected);
  EXPECT_FALSE(Compare(test, Model::kSc, RunAll(test, Model::kTso)).as_expected);
}

TEST(Litmus, AMissingAndASurplusRaceAreNoticed) {
  Case test = Named("MP+na+rlx");
  const Result result = RunAll(test, Model::kSc);
  EXPECT_TRUE(result.races);
  Result without = result;
  without.races = false;
  EXPECT_TRUE(Compare(test, Model::kSc, without).race_differs);
  test.expected[static_cast<int>(Model::kSc)].races = false;
  EXPECT_TRUE(Compare(test, Model::kSc, result).race_differs);
}

TEST(Litmus, ABoundedSearchIsNeverAsExpected) {
  const Case test = Named("SB+rlx");
  const Result all = RunAll(test, Model::kSc);
  EXPECT_FALSE(all.bounded);
  const Result some = RunAll(test, Model::kSc, all.runs - 1);
  EXPECT_TRUE(some.bounded);
  Result pretended = all;
  pretended.bounded = true;
  EXPECT_FALSE(Compare(test, Model::kSc, pretended).as_expected);
}

// More stores to one location than the engine keeps.
TEST(Litmus, ABoundedSearchIsNotCalledComplete) {
  const Case kept = Named("SB+rlx");
  Case many = kept;
  many.threads[0].code.insert(many.threads[0].code.end(), 12, kept.threads[0].code[0]);
  for (const bool bounded : {false, true}) {
    char* text = nullptr;
    size_t size = 0;
    FILE* const out = open_memstream(&text, &size);
    ReportAll({bounded ? many : kept}, {Model::kRc11}, out);
    fclose(out);
    EXPECT_EQ(std::string(text, size).find("\ncomplete: ") == std::string::npos, bounded) << text;
    free(text);
  }
}

TEST(Litmus, ScRunsAreAllInterleavings) {
  EXPECT_EQ(RunAll(Named("SB+rlx"), Model::kSc).runs, 6);
  EXPECT_EQ(RunAll(Named("INDEP4"), Model::kSc).runs, 2520);
}

TEST(Litmus, ParseErrorsNameTheTestAndTheField) {
  const auto error = [](const std::string& json) {
    return std::string(ParseTests(json).status().message());
  };
  EXPECT_THAT(error("{"), HasSubstr("the file: "));
  EXPECT_THAT(error("{}"), HasSubstr("field 'tests' is missing"));
  for (const char* none : {R"({"tests": []})", R"({"tests": null})"}) {
    EXPECT_THAT(error(none), HasSubstr("field 'tests' is not a list of one test or more"));
  }
  EXPECT_THAT(error(R"({"tests": [{"name": "T", "init": {}, "threads": []}]})"),
              HasSubstr("test 'T': there are 0 threads; expected 1 to 8"));
  EXPECT_THAT(error(R"({"tests": [{"name": "T", "init": {},
                        "threads": [[{"op": "load", "loc": "x", "order": "rlx"}]]}]})"),
              HasSubstr("location 'x' is not in 'init'"));
  EXPECT_THAT(error(R"({"tests": [{"name": "T", "init": {"x": 0},
                        "threads": [[{"op": "load", "loc": "x", "order": "weak"}]]}]})"),
              HasSubstr("order 'weak' is none of na, rlx, acq, rel, acq_rel, sc"));
  EXPECT_THAT(error(R"({"tests": [{"name": "T", "init": {"x": 0},
                        "threads": [[{"op": "swap", "loc": "x", "order": "sc", "value": 1}]]}]})"),
              HasSubstr("op 'swap' is not known"));
}

TEST(Litmus, AProgramReadsLikeCode) {
  const std::string text = ToString(Named("CL+bit-found-acq"));
  EXPECT_THAT(text, HasSubstr("1: u = used.load(acq)"));
  EXPECT_THAT(text, HasSubstr("2: unless u == 0 go to 4"));
  EXPECT_THAT(text, HasSubstr("until it succeeds: wh.compare_exchange(0, 1, sc, rlx)"));
}

}  // namespace
}  // namespace cancelsafe::litmus
