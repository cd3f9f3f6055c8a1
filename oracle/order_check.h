// Linearizability of one history against one family's model, behind an interface that
// names no model: what the judge in check.cc calls, and where the situations that an
// accepted history went through are noted.
#ifndef CANCELSAFE_ORACLE_ORDER_CHECK_H_
#define CANCELSAFE_ORACLE_ORDER_CHECK_H_

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "oracle/counterexample.h"
#include "oracle/history.h"
#include "oracle/linearizability.h"
#include "oracle/model.h"
#include "oracle/trace.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// What was met along one history, in the order of the calls.
struct Coverage {
  int count = 0;
  uint32_t states[kMaxCalls];  // Model::Abstract
  Op ops[kMaxCalls];
  uint32_t outcomes[kMaxCalls];

  void Note(uint32_t state, Op op, Outcome outcome) {
    states[count] = state;
    ops[count] = op;
    // Which item it was does not matter, that it was one does.
    const bool small = outcome.value >= 0 && outcome.value < kMaxItems;
    outcomes[count++] =
        small ? static_cast<uint32_t>(outcome.value != 0) : static_cast<uint32_t>(outcome.value);
  }
};

class OrderCheck {
 public:
  virtual ~OrderCheck() = default;

  // Leaves `*verdict` alone and fills `*coverage` if there is an order of the calls that
  // explains them. `budget` bounds the model steps of a search; kUnknown if it runs out.
  // Without a search no allocation and O(calls).
  virtual void Check(const History& history, Reading reading, const Trace* traces, uint64_t budget,
                     Coverage* coverage, Verdict* verdict) = 0;
  // Histories that the order of effect did not settle and a search had to.
  uint64_t searches() const { return searches_; }

 protected:
  uint64_t searches_ = 0;
};

template <class Model>
class ModelOrderCheck final : public OrderCheck {
 public:
  void Check(const History& history, Reading reading, const Trace* traces, uint64_t budget,
             Coverage* coverage, Verdict* verdict) override {
    search_.Start(history, reading, traces);
    coverage->count = 0;
    const bool settled = search_.TryOrderOfEffect(
        [&](const typename Model::State& state, const Operation& operation, Outcome outcome) {
          coverage->Note(Model::Abstract(history.setup, state), operation.op, outcome);
        });
    if (settled) return;
    coverage->count = 0;
    Search(history, budget, coverage, verdict);
  }

 private:
  // The full search, and what to say if it finds nothing.
  void Search(const History& history, uint64_t budget, Coverage* coverage, Verdict* verdict) {
    ++searches_;
    SearchResult result = search_.Search(true, budget);
    if (result == SearchResult::kFound) {
      NoteLongest(history, coverage);
      return;
    }
    if (result == SearchResult::kOutOfBudget) {
      *verdict = MakeVerdict(Rule::kOutOfBudget, history.setup.family);
      verdict->reason = absl::StrCat("no order found within ", budget, " steps of the model");
      return;
    }
    ExplainNoLinearization<Model>(search_, history, true, verdict);
    result = search_.Search(false, budget);
    if (result == SearchResult::kNone) {
      ExplainNoLinearization<Model>(search_, history, false, verdict);
    } else if (result == SearchResult::kOutOfBudget) {
      verdict->evidence.push_back(
          absl::StrCat("whether the results alone can be explained was not "
                       "settled within ",
                       budget, " steps of the model"));
    }
  }

  void NoteLongest(const History& history, Coverage* coverage) {
    typename Model::State state = Model::Initial(history.setup);
    Alternative<typename Model::State> alternatives[kMaxAlternatives<Model>];
    for (int i = 0; i < search_.longest().length; ++i) {
      const Placement& placement = search_.longest().placements[i];
      const Call& call = history.calls[placement.call];
      coverage->Note(Model::Abstract(history.setup, state), call.operation.op, call.outcome);
      search_.Step(state, placement.call, alternatives);
      state = alternatives[placement.alternative].next;
    }
  }

  LinearizabilitySearch<Model> search_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_ORDER_CHECK_H_
