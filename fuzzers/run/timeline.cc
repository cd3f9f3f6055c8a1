// See timeline.h.
#include "fuzzers/run/timeline.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "oracle/describe.h"

namespace cancelsafe {
namespace {

struct Row {
  uint32_t sequence;
  int fiber;
  std::string text;
};

// How many calls the given one is nested in.
int Depth(const History& history, uint8_t call) {
  int depth = 0;
  for (; call != kNoCall && history.calls[call].parent != kNoCall;
       call = history.calls[call].parent) {
    ++depth;
  }
  return depth;
}

std::vector<Row> Rows(const History& history) {
  std::vector<Row> rows;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    const std::string indent(Depth(history, static_cast<uint8_t>(i)) * 2, ' ');
    const std::string name = DescribeOperation(history.setup, call.operation);
    rows.push_back({call.begin, call.fiber, absl::StrCat(indent, name)});
    if (!call.returned) continue;
    const std::string outcome = DescribeOutcome(history.setup, call.operation, call.outcome);
    rows.push_back({call.end, call.fiber,
                    absl::StrCat(indent, "= ", OperationName(call.operation.op),
                                 outcome.empty() ? "" : " -> ", outcome)});
  }
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    const int depth = event.call == kNoCall ? 0 : Depth(history, event.call);
    rows.push_back({event.sequence, event.fiber,
                    absl::StrCat(std::string(depth * 2 + 1, ' '), DescribeEvent(history, event))});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.sequence < b.sequence; });
  return rows;
}

}  // namespace

std::string Timeline(const History& history) {
  const std::vector<Row> rows = Rows(history);
  size_t width[kMaxFibers] = {};
  for (int f = 0; f < history.fibers; ++f) width[f] = sizeof("fiber 0") - 1;
  for (const Row& row : rows) width[row.fiber] = std::max(width[row.fiber], row.text.size());
  std::string table = " step";
  for (int f = 0; f < history.fibers; ++f) {
    absl::StrAppendFormat(&table, " | %-*s", static_cast<int>(width[f]), absl::StrCat("fiber ", f));
  }
  table += "\n";
  int step = 0;
  for (const Row& row : rows) {
    absl::StrAppendFormat(&table, "%5d", ++step);
    for (int f = 0; f < history.fibers; ++f) {
      absl::StrAppendFormat(&table, " | %-*s", static_cast<int>(width[f]),
                            f == row.fiber ? row.text : "");
    }
    // Nothing but blanks to the right of the last entry.
    table.erase(table.find_last_not_of(" |") + 1);
    table += "\n";
  }
  return table;
}

}  // namespace cancelsafe
