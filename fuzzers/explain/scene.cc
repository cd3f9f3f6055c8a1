// See scene.h.
#include "fuzzers/explain/scene.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/explain/guilty.h"
#include "fuzzers/explain/story.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/timeline.h"
#include "oracle/describe.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

using nlohmann::json;

constexpr char kSwitch = '>';
constexpr char kStale = '!';

class Scene {
 public:
  explicit Scene(const Observation& observation)
      : observation_(observation),
        history_(observation.history),
        guilty_(FindGuilty(history_, observation.verdict)),
        marks_(MarksOf(observation)) {
    // A recorded step comes before the points that follow it.
    for (int i = 0; i < history_.call_count; ++i) {
      rows_.push_back({history_.calls[i].begin, -1});
      if (history_.calls[i].returned) rows_.push_back({history_.calls[i].end, -1});
    }
    for (int i = 0; i < history_.event_count; ++i) {
      rows_.push_back({history_.events[i].sequence, -1});
    }
    for (const Mark& mark : marks_) rows_.push_back(mark.moment);
    std::sort(rows_.begin(), rows_.end());
  }

  json Calls() const;
  json Events() const;
  json Marks() const;
  json Locks() const;
  json Irql() const;
  json Arrows() const;
  json RaceMark() const;
  int rows() const { return static_cast<int>(rows_.size()); }

 private:
  // Rows that are not after the moment.
  int RowsUntil(Moment moment) const {
    return static_cast<int>(std::upper_bound(rows_.begin(), rows_.end(), moment) - rows_.begin());
  }
  int RowOf(uint32_t sequence) const { return RowsUntil({sequence, -1}) - 1; }
  double Between(Moment moment) const { return RowsUntil(moment) - 0.5; }
  int Depth(uint8_t call) const {
    int depth = 0;
    for (; call != kNoCall && history_.calls[call].parent != kNoCall;
         call = history_.calls[call].parent) {
      ++depth;
    }
    return depth;
  }

  const Observation& observation_;
  const History& history_;
  const Guilty guilty_;
  const std::vector<Mark> marks_;
  std::vector<Moment> rows_;
};

json Scene::Calls() const {
  json calls = json::array();
  for (int i = 0; i < history_.call_count; ++i) {
    const Call& call = history_.calls[i];
    const auto place =
        std::find(observation_.verdict.order.begin(), observation_.verdict.order.end(), i);
    json details = json::array(
        {RoutineName(history_.setup.family, call.operation.op),
         absl::StrCat("IRQL ", call.irql_before, " at the call",
                      call.returned ? absl::StrCat(", ", call.irql_after, " at the return") : "")});
    if (!call.returned) details.push_back("did not return");
    if (call.locks_before + call.locks_after != 0) {
      details.push_back(absl::StrCat("locks held: ", call.locks_before, " at the call, ",
                                     call.locks_after, " at the return"));
    }
    details.push_back(absl::StrCat("callbacks: ", DescribeRecordedTrace(history_, i)));
    calls.push_back({
        {"fiber", call.fiber},
        {"depth", Depth(static_cast<uint8_t>(i))},
        {"from", RowOf(call.begin)},
        {"to", call.returned ? RowOf(call.end) : rows()},
        {"returned", call.returned},
        {"text", PrintOperation(history_.setup, call.operation)},
        {"outcome",
         call.returned ? DescribeOutcome(history_.setup, call.operation, call.outcome) : ""},
        {"details", details},
        {"guilty", static_cast<bool>(guilty_.calls[i])},
        {"drained", static_cast<bool>(observation_.drained[i])},
        {"order", place == observation_.verdict.order.end()
                      ? 0
                      : place - observation_.verdict.order.begin() + 1},
        {"effect", std::min<double>(Between({std::max(call.effect, call.begin), -1}),
                                    call.returned ? RowOf(call.end) : rows() - 1)},
    });
  }
  return calls;
}

json Scene::Events() const {
  json events = json::array();
  for (int i = 0; i < history_.event_count; ++i) {
    const CallbackEvent& event = history_.events[i];
    events.push_back({
        {"fiber", event.fiber},
        {"depth", event.call == kNoCall ? 0 : Depth(event.call)},
        {"row", RowOf(event.sequence)},
        {"text", ShortEvent(event)},
        {"details", json::array({DescribeEvent(history_, event)})},
        {"guilty", static_cast<bool>(guilty_.events[i])},
    });
  }
  return events;
}

json Scene::Marks() const {
  json marks = json::array();
  for (const Mark& mark : marks_) {
    marks.push_back({{"fiber", mark.fiber},
                     {"row", RowsUntil(mark.moment) - 1},
                     {"kind", mark.text[0] == kSwitch  ? "switch"
                              : mark.text[0] == kStale ? "stale"
                                                       : "wait"},
                     {"text", mark.text.substr(2)}});
  }
  return marks;
}

json Scene::Locks() const {
  json locks = json::array();
  for (const LockSpan& span : observation_.locks) {
    locks.push_back({{"fiber", span.fiber},
                     {"from", Between(span.taken)},
                     {"to", Between(span.given)},
                     {"name", span.name},
                     {"kept", !span.given_back}});
  }
  return locks;
}

// A change of level is seen at the first point or callback after it.
json Scene::Irql() const {
  struct Seen {
    Moment moment;
    int level;
  };
  json spans = json::array();
  for (int f = 0; f < history_.fibers; ++f) {
    std::vector<Seen> seen;
    for (const PassedPoint& point : observation_.points) {
      if (point.fiber == f) seen.push_back({point.moment, point.irql});
    }
    for (int i = 0; i < history_.event_count; ++i) {
      const CallbackEvent& event = history_.events[i];
      if (event.fiber == f) seen.push_back({{event.sequence, -1}, event.irql});
    }
    for (int i = 0; i < history_.call_count; ++i) {
      const Call& call = history_.calls[i];
      if (call.fiber != f) continue;
      seen.push_back({{call.begin, -1}, call.irql_before});
      if (call.returned) seen.push_back({{call.end, -1}, call.irql_after});
    }
    if (seen.empty()) continue;
    std::sort(seen.begin(), seen.end(),
              [](const Seen& a, const Seen& b) { return a.moment < b.moment; });
    size_t first = 0;
    for (size_t i = 1; i <= seen.size(); ++i) {
      if (i < seen.size() && seen[i].level == seen[first].level) continue;
      spans.push_back({{"fiber", f},
                       {"from", Between(seen[first].moment)},
                       {"to", Between(i < seen.size() ? seen[i].moment : seen.back().moment)},
                       {"level", seen[first].level}});
      first = i;
    }
  }
  return spans;
}

json Scene::Arrows() const {
  json arrows = json::array();
  for (const Ordering& ordering : observation_.orderings) {
    arrows.push_back({{"from_fiber", ordering.from_fiber},
                      {"from", Between(ordering.from)},
                      {"to_fiber", ordering.to_fiber},
                      {"to", Between(ordering.to)},
                      {"by", ordering.by}});
  }
  return arrows;
}

json Scene::RaceMark() const {
  if (observation_.verdict.kind != VerdictKind::kDataRace) return nullptr;
  return {{"fiber", observation_.race.access[0].fiber},
          {"other", observation_.race.access[1].fiber},
          {"row", Between(observation_.race_seen)}};
}

}  // namespace

json SceneOf(const Observation& observation, const std::string& title) {
  const Scene scene(observation);
  const std::string line = VerdictLineOf(observation);
  return {
      {"title", title},
      {"verdict",
       absl::StrCat(VerdictKindName(observation.verdict.kind),
                    observation.verdict.clause.empty() ? "" : " ", observation.verdict.clause)},
      {"reason", observation.verdict.reason},
      {"ok", observation.verdict.ok()},
      {"counts", line.substr(line.rfind('[') + 1, line.size() - line.rfind('[') - 2)},
      {"program", PrintProgram(observation.program)},
      {"fibers", observation.history.fibers},
      {"rows", scene.rows()},
      {"evidence", EvidenceOf(observation)},
      {"calls", scene.Calls()},
      {"events", scene.Events()},
      {"marks", scene.Marks()},
      {"locks", scene.Locks()},
      {"irql", scene.Irql()},
      {"arrows", scene.Arrows()},
      {"race", scene.RaceMark()},
  };
}

}  // namespace cancelsafe
