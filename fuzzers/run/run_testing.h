// For the tests of this room: programs as text, and runs on the built-in
// implementation or on one that was broken on purpose.
#ifndef CANCELSAFE_FUZZERS_RUN_RUN_TESTING_H_
#define CANCELSAFE_FUZZERS_RUN_RUN_TESTING_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fuzzers/program/text.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

inline Program ProgramOf(const std::string& text) {
  const absl::StatusOr<Program> program = ParseProgram(text);
  EXPECT_TRUE(program.ok()) << program.status() << "\n" << text;
  return program.ok() ? *program : Program();
}

// A runner together with the implementation that it needs for its whole life.
class Bench {
 public:
  explicit Bench(Family family, const Implementation& implementation = BuiltInImplementation(),
                 const RunnerOptions& options = RunnerOptions())
      : implementation_(implementation),
        runner_(new Runner(family, implementation_, options, &missing_)) {}

  // The verdict of one run.
  const Verdict& Run(const Program& program) {
    runner_->Run(program);
    return runner_->output().verdict;
  }
  const Verdict& Run(const std::string& text) { return Run(ProgramOf(text)); }

  Runner& runner() { return *runner_; }
  const char* missing() const { return missing_; }

 private:
  const Implementation implementation_;
  const char* missing_ = nullptr;
  std::unique_ptr<Runner> runner_;
};

// What the first calls returned.
inline void ExpectOutcomes(const History& history, const std::vector<int32_t>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(history.calls[i].outcome.value, expected[i]) << i;
  }
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_RUN_TESTING_H_
