// A broken rule in words: what had to hold, what was seen, and the calls that had to do
// with it. Cold. See rules.h.
#include "absl/strings/str_cat.h"
#include "oracle/describe.h"
#include "oracle/rules.h"

namespace cancelsafe {

void ExplainFinding(const History& history, const RuleFinding& finding, Verdict* verdict) {
  const RuleRow& row = RuleInfo(finding.rule);
  *verdict = MakeVerdict(finding.rule, history.setup.family);
  verdict->event = finding.event;
  verdict->call = finding.event >= 0 ? history.events[finding.event].call : finding.call;
  verdict->item = finding.item == kNoItem ? -1 : finding.item;
  if (finding.event >= 0) {
    const CallbackEvent& event = history.events[finding.event];
    verdict->reason = absl::StrCat(row.demand, "; seen ", DescribeEvent(history, event));
  } else if (finding.call >= 0) {
    const Call& call = history.calls[finding.call];
    verdict->reason =
        absl::StrCat(row.demand, "; seen ", DescribeCall(history, finding.call), ", irql ",
                     call.irql_before, " before and ", call.irql_after, " after, ",
                     call.locks_before, " locks before and ", call.locks_after, " after");
  } else {
    verdict->reason = absl::StrCat(row.demand, "; seen otherwise: item ", finding.item);
  }
  const int call = verdict->call;
  if (call >= 0 && call < history.call_count) {
    verdict->evidence.push_back(absl::StrCat("call: ", DescribeCall(history, call)));
    verdict->evidence.push_back(
        absl::StrCat("its callbacks: ", DescribeRecordedTrace(history, call)));
  }
  if (finding.item == kNoItem) return;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& entry = history.calls[i];
    bool touches = false;
    for (int e = 0; e < history.event_count && !touches; ++e) {
      touches = history.events[e].call == i && history.events[e].item == finding.item;
    }
    if (!touches && entry.operation.item != finding.item) continue;
    verdict->evidence.push_back(
        absl::StrCat(DescribeCall(history, i), ", callbacks ", DescribeRecordedTrace(history, i)));
  }
}

}  // namespace cancelsafe
