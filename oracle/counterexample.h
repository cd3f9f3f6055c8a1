// Why a history has no linearization, in words: the longest order that did
// work, what the model allowed next, and what was seen instead. Cold.
#ifndef CANCELSAFE_ORACLE_COUNTEREXAMPLE_H_
#define CANCELSAFE_ORACLE_COUNTEREXAMPLE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "oracle/describe.h"
#include "oracle/linearizability.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// Fills `verdict` (kNotLinearizable, or kCallbackOrder if `results_explained`)
// from the longest partial linearization of a search that found none.
template <class Model>
void ExplainNoLinearization(const LinearizabilitySearch<Model>& search, const History& history,
                            bool results_explained, Verdict* verdict) {
  using State = typename Model::State;
  const Setup& setup = history.setup;
  const bool with_traces = results_explained;
  Alternative<State> alternatives[kMaxAlternatives<Model>];
  State state = Model::Initial(setup);
  CallSet placed;
  placed.Clear();
  *verdict =
      MakeVerdict(results_explained ? Rule::kCallbackOrder : Rule::kLinearizability, setup.family);
  verdict->evidence.push_back(absl::StrCat("longest order that works: ", search.longest().length,
                                           " of ", history.call_count, " calls"));
  for (int i = 0; i < search.longest().length; ++i) {
    const Placement& placement = search.longest().placements[i];
    search.Step(state, placement.call, alternatives);
    state = alternatives[placement.alternative].next;
    placed.Add(placement.call);
    verdict->order.push_back(placement.call);
    verdict->evidence.push_back(absl::StrCat(i + 1, ". ", DescribeCall(history, placement.call),
                                             " | ", Model::Describe(setup, state)));
  }

  uint8_t candidates[kMaxCalls];
  const int candidate_count = search.Candidates(placed, candidates);
  // The call to blame: the first by effect whose results fit while its
  // callbacks do not, else the first that nothing explains.
  int blamed = -1;
  bool blamed_for_order = false;
  for (int i = 0; i < candidate_count; ++i) {
    const int call = candidates[i];
    const int count = search.Step(state, call, alternatives);
    std::vector<std::string> allowed;
    bool explained = false;
    bool result_fits = false;
    const char* clause = nullptr;
    for (int a = 0; a < count; ++a) {
      const Alternative<State>& alternative = alternatives[a];
      if (!search.MayApply(alternative, call)) continue;
      explained |= search.Explains(alternative, call, with_traces);
      const bool fits = search.Explains(alternative, call, false);
      const char* own_clause = fits ? alternative.order_clause : alternative.clause;
      if (clause == nullptr || (fits && !result_fits)) clause = own_clause;
      result_fits |= fits;
      std::string text =
          alternative.any_outcome
              ? "anything"
              : DescribeOutcome(setup, history.calls[call].operation, alternative.outcome);
      if (with_traces) {
        absl::StrAppend(&text, text.empty() ? "" : " with ", DescribeTrace(alternative.trace));
      }
      allowed.push_back(absl::StrCat(text.empty() ? "return" : text, " (", own_clause, ")"));
    }
    if (allowed.empty()) allowed.push_back("nothing: the call cannot be made in this state");
    const Call& entry = history.calls[call];
    const std::string outcome =
        entry.returned ? DescribeOutcome(setup, entry.operation, entry.outcome) : "";
    const std::string seen_trace = DescribeRecordedTrace(history, call);
    verdict->evidence.push_back(
        absl::StrCat("next: ", DescribeCall(history, call), ", callbacks ", seen_trace,
                     explained ? "; explained, but then the rest is not" : "; allowed: ",
                     explained ? "" : absl::StrJoin(allowed, " or ")));
    if (explained) continue;
    const bool for_order = with_traces && result_fits;
    if (blamed >= 0 && (blamed_for_order || !for_order)) continue;
    blamed = call;
    blamed_for_order = for_order;
    verdict->call = call;
    verdict->clause = clause == nullptr ? "" : clause;
    const std::string who =
        absl::StrCat(DescribeOperation(setup, entry.operation), " on fiber ", entry.fiber);
    verdict->reason = for_order         ? absl::StrCat(who, " called ", seen_trace, "; allowed: ")
                      : outcome.empty() ? absl::StrCat(who, " returned; allowed: ")
                                        : absl::StrCat(who, " returned ", outcome, "; allowed: ");
    verdict->reason += absl::StrJoin(allowed, " or ");
  }
  if (blamed < 0) verdict->reason = "no order of the calls explains what they returned";
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_COUNTEREXAMPLE_H_
