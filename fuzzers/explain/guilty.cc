// See guilty.h. Verdicts speak in the words of oracle/describe.h, so the same words
// find what they speak about.
#include "fuzzers/explain/guilty.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "oracle/describe.h"

namespace cancelsafe {
namespace {

bool Any(const std::vector<bool>& flags) {
  for (const bool flag : flags) {
    if (flag) return true;
  }
  return false;
}

// "remove item 2 on fiber 0 returned item 2; allowed: ...", "remove-next on fiber 0
// called A P0 U; allowed: ...".
bool Begins(const History& history, int index, const std::string& reason) {
  const Call& call = history.calls[index];
  const std::string who =
      absl::StrCat(DescribeOperation(history.setup, call.operation), " on fiber ", call.fiber, " ");
  if (!absl::StartsWith(reason, who)) return false;
  if (absl::StartsWith(reason, absl::StrCat(who, "called "))) {
    const std::string trace = DescribeRecordedTrace(history, index);
    return absl::StartsWith(reason, absl::StrCat(who, "called ", trace, ";"));
  }
  const std::string outcome = DescribeOutcome(history.setup, call.operation, call.outcome);
  return !absl::StartsWith(reason, absl::StrCat(who, "returned ")) ||
         absl::StartsWith(reason, absl::StrCat(who, "returned ", outcome, ";"));
}

void FindIn(const History& history, const std::string& text, Guilty* guilty) {
  for (int i = 0; i < history.event_count; ++i) {
    if (absl::StrContains(text, DescribeEvent(history, history.events[i]))) {
      guilty->events[i] = true;
    }
  }
  for (int i = 0; i < history.call_count; ++i) {
    if (absl::StrContains(text, DescribeCall(history, i))) guilty->calls[i] = true;
  }
}

// An item that ended twice: the callback that was right the first time belongs to it.
void AddFirstEnding(const History& history, Guilty* guilty) {
  for (int i = history.event_count - 1; i >= 0; --i) {
    if (!guilty->events[i]) continue;
    for (int first = i - 1; first >= 0; --first) {
      const CallbackEvent& event = history.events[first];
      if (event.item != history.events[i].item || event.kind != history.events[i].kind) continue;
      guilty->events[first] = true;
      return;
    }
  }
}

}  // namespace

Guilty FindGuilty(const History& history, const Verdict& verdict) {
  Guilty guilty;
  guilty.calls.assign(history.call_count, false);
  guilty.events.assign(history.event_count, false);
  if (verdict.ok()) return guilty;
  for (int i = 0; i < history.call_count; ++i) {
    if (Begins(history, i, verdict.reason)) guilty.calls[i] = true;
  }
  if (!Any(guilty.calls)) FindIn(history, verdict.reason, &guilty);
  for (const std::string& line : verdict.evidence) {
    if (Any(guilty.calls) || Any(guilty.events)) break;
    if (!absl::StartsWith(line, "longest order") && !absl::StartsWith(line, "access: ")) {
      FindIn(history, line, &guilty);
    }
  }
  if (verdict.kind == VerdictKind::kDoubleEnding) AddFirstEnding(history, &guilty);
  if (Any(guilty.calls) || Any(guilty.events) || verdict.kind == VerdictKind::kDataRace) {
    return guilty;
  }
  for (int i = 0; i < history.call_count; ++i) guilty.calls[i] = !history.calls[i].returned;
  return guilty;
}

}  // namespace cancelsafe
