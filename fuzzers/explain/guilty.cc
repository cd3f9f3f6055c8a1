// See guilty.h. A verdict says by number what it is about.
#include "fuzzers/explain/guilty.h"

#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

bool Touches(const History& history, int call, int item) {
  const Operation& operation = history.calls[call].operation;
  if (FieldsOf(operation.op).item != 0 && operation.item == item) return true;
  for (int i = 0; i < history.event_count; ++i) {
    if (history.events[i].call == call && history.events[i].item == item) return true;
  }
  return false;
}

// An item that ended twice: the callback that was right the first time belongs to it.
void AddFirstEnding(const History& history, int second, Guilty* guilty) {
  const CallbackEvent& event = history.events[second];
  for (int first = second - 1; first >= 0; --first) {
    if (event.item != history.events[first].item || event.kind != history.events[first].kind) {
      continue;
    }
    guilty->events[first] = true;
    return;
  }
}

// A verdict on an item as a whole: the last call that had to do with it, and for a second
// ending the one before, too.
void AddCallsOfItem(const History& history, const Verdict& verdict, Guilty* guilty) {
  int left = verdict.kind == VerdictKind::kDoubleEnding ? 2 : 1;
  for (int i = history.call_count - 1; i >= 0 && left > 0; --i) {
    if (!Touches(history, i, verdict.item)) continue;
    guilty->calls[i] = true;
    --left;
  }
}

}  // namespace

Guilty FindGuilty(const History& history, const Verdict& verdict) {
  Guilty guilty;
  guilty.calls.assign(history.call_count, false);
  guilty.events.assign(history.event_count, false);
  if (verdict.ok()) return guilty;
  if (verdict.event >= 0 && verdict.event < history.event_count) {
    guilty.events[verdict.event] = true;
    if (verdict.kind == VerdictKind::kDoubleEnding) {
      AddFirstEnding(history, verdict.event, &guilty);
    }
  } else if (verdict.call >= 0 && verdict.call < history.call_count) {
    guilty.calls[verdict.call] = true;
  } else if (verdict.item >= 0) {
    AddCallsOfItem(history, verdict, &guilty);
  } else if (verdict.kind != VerdictKind::kDataRace) {
    for (int i = 0; i < history.call_count; ++i) guilty.calls[i] = !history.calls[i].returned;
  }
  return guilty;
}

}  // namespace cancelsafe
