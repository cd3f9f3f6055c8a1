// What the tests of the models share: taking steps, and walking through every
// sequence of operations up to some length.
#ifndef CANCELSAFE_ORACLE_MODEL_TEST_UTIL_H_
#define CANCELSAFE_ORACLE_MODEL_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "oracle/describe.h"
#include "oracle/history_builder.h"
#include "oracle/model.h"

namespace cancelsafe {

// A model and the state it is in, for hand-written cases.
template <class Model>
class Walker {
 public:
  explicit Walker(const Setup& setup, Reading reading = Reading::kOwn)
      : setup_(setup), reading_(reading), state_(Model::Initial(setup)) {}

  // Steps, expects the first alternative to be exactly this one, and takes it.
  void Expect(const Operation& operation, int32_t outcome, const std::string& trace,
              const std::string& clause, uint8_t generation = 0) {
    const int count = Step(operation, generation);
    ASSERT_GE(count, 1) << DescribeOperation(setup_, operation);
    const auto& first = alternatives_[0];
    EXPECT_EQ(first.outcome.value, outcome) << DescribeOperation(setup_, operation);
    EXPECT_EQ(DescribeTrace(first.trace), trace) << DescribeOperation(setup_, operation);
    EXPECT_TRUE(clause == first.clause || clause == first.order_clause)
        << clause << " is neither " << first.clause << " nor " << first.order_clause;
    state_ = first.next;
  }

  // All alternatives as "outcome trace" texts.
  std::vector<std::string> Alternatives(const Operation& operation, uint8_t generation = 0) {
    std::vector<std::string> texts;
    const int count = Step(operation, generation);
    for (int i = 0; i < count; ++i) {
      texts.push_back((alternatives_[i].any_outcome
                           ? std::string("any")
                           : std::to_string(alternatives_[i].outcome.value)) +
                      " " + DescribeTrace(alternatives_[i].trace));
    }
    return texts;
  }

  void Take(int alternative) { state_ = alternatives_[alternative].next; }
  std::string Text() const { return Model::Describe(setup_, state_); }
  const typename Model::State& state() const { return state_; }

 private:
  int Step(const Operation& operation, uint8_t generation) {
    return Model::Step(setup_, reading_, state_, operation, generation, alternatives_);
  }

  Setup setup_;
  Reading reading_;
  typename Model::State state_;
  Alternative<typename Model::State> alternatives_[kMaxAlternatives<Model>];
};

// Takes every sequence of `length` operations through the model and through an
// independent restatement of it:
//
//   class Naive { bool Allowed(const Operation&); int32_t Apply(const Operation&, std::string*); }
//
// where Apply returns the outcome and writes the trace. Returns the number of
// steps compared; stops at the first difference.
template <class Model, class Naive>
int64_t CompareExhaustively(const Setup& setup, const std::vector<Operation>& alphabet, int length,
                            const typename Model::State& state, const Naive& naive,
                            std::vector<Operation>* path) {
  if (length == 0) return 0;
  int64_t steps = 0;
  for (const Operation& operation : alphabet) {
    Alternative<typename Model::State> alternatives[kMaxAlternatives<Model>];
    const int count = Model::Step(setup, Reading::kOwn, state, operation, 0, alternatives);
    Naive next = naive;
    path->push_back(operation);
    ++steps;
    std::string history;
    const auto describe = [&] {
      for (const Operation& step : *path) history += DescribeOperation(setup, step) + "; ";
      return history + Model::Describe(setup, state);
    };
    if (!next.Allowed(operation)) {
      EXPECT_EQ(count, 0) << describe();
    } else if (count == 0) {
      ADD_FAILURE() << "no alternative: " << describe();
    } else {
      std::string trace;
      const int32_t outcome = next.Apply(operation, &trace);
      int chosen = 0;
      while (chosen < count && alternatives[chosen].outcome.value != outcome) ++chosen;
      if (chosen == count) {
        ADD_FAILURE() << describe() << ": expected outcome " << outcome << ", first allowed "
                      << alternatives[0].outcome.value;
      } else {
        EXPECT_EQ(DescribeTrace(alternatives[chosen].trace), trace) << describe();
        if (!::testing::Test::HasFailure()) {
          steps += CompareExhaustively<Model>(setup, alphabet, length - 1,
                                              alternatives[chosen].next, next, path);
        }
      }
    }
    path->pop_back();
    if (::testing::Test::HasFailure()) break;
  }
  return steps;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_MODEL_TEST_UTIL_H_
