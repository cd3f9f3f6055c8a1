// A run of a driver as a picture, in the form of fuzzers/explain/scene.h. See
// driver_observation.h.
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/explain/driver_lanes.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

using nlohmann::json;

class DriverScene {
 public:
  DriverScene(const DriverObservation& observation, const DriverLanes& lanes)
      : observation_(observation), steps_(observation.story.steps), lanes_(lanes) {
    std::vector<int> open[schedule::kFiberCapacity];
    ends_.resize(steps_.size(), rows());
    depth_.resize(steps_.size(), 0);
    for (int i = 0; i < rows(); ++i) {
      std::vector<int>& calls = open[steps_[i].fiber];
      if (steps_[i].kind == StepKind::kReturn && !calls.empty()) {
        ends_[static_cast<size_t>(calls.back())] = i;
        calls.pop_back();
      }
      depth_[static_cast<size_t>(i)] = static_cast<int>(calls.size());
      if (steps_[i].kind == StepKind::kCall) calls.push_back(i);
      if (steps_[i].fiber == observation.story.failed_fiber) guilty_ = i;
    }
    if (observation.verdict.ok()) guilty_ = -1;
  }

  int rows() const { return static_cast<int>(steps_.size()); }

  json Calls() const {
    json calls = json::array();
    for (int i = 0; i < rows(); ++i) {
      const DriverStep& step = steps_[i];
      if (step.kind != StepKind::kCall) continue;
      const int end = ends_[static_cast<size_t>(i)];
      const bool returned = end < rows();
      json details = json::array(
          {absl::StrCat("IRQL ", step.irql, " at the call",
                        returned ? absl::StrCat(", ", steps_[end].irql, " at the return") : "")});
      if (!returned) details.push_back("did not return");
      calls.push_back({{"fiber", lanes_.LaneOf(step.fiber)},
                       {"depth", depth_[static_cast<size_t>(i)]},
                       {"from", i},
                       {"to", end},
                       {"returned", returned},
                       {"text", step.text},
                       {"outcome", returned ? steps_[end].text : ""},
                       {"details", details},
                       // In which the rule was broken, or that never came back.
                       {"guilty", guilty_ >= 0 ? i <= guilty_ && end > guilty_ &&
                                                     step.fiber == steps_[guilty_].fiber
                                               : !observation_.verdict.ok() && !returned},
                       {"drained", step.fiber == observation_.story.program_fibers},
                       {"order", 0},
                       {"effect", i}});
    }
    return calls;
  }

  json Events() const {
    json events = json::array();
    for (int i = 0; i < rows(); ++i) {
      if (steps_[i].kind != StepKind::kEvent) continue;
      events.push_back({{"fiber", lanes_.LaneOf(steps_[i].fiber)},
                        {"depth", std::max(depth_[static_cast<size_t>(i)] - 1, 0)},
                        {"row", i},
                        {"text", steps_[i].text},
                        {"details", json::array({absl::StrCat("IRQL ", steps_[i].irql)})},
                        {"guilty", i == guilty_}});
    }
    return events;
  }

  json Marks() const {
    json marks = json::array();
    for (int i = 0; i < rows(); ++i) {
      const StepKind kind = steps_[i].kind;
      if (kind != StepKind::kSwitch && kind != StepKind::kWait) continue;
      marks.push_back({{"fiber", lanes_.LaneOf(steps_[i].fiber)},
                       {"row", i},
                       {"kind", kind == StepKind::kSwitch ? "switch" : "wait"},
                       {"text", steps_[i].text}});
    }
    return marks;
  }

  // As they were at the steps of their fiber.
  json Locks() const {
    json locks = json::array();
    for (const bool cancel : {false, true}) {
      ForEachSpan(
          [cancel](const DriverStep& step) {
            return cancel ? static_cast<int>(step.cancel_lock)
                          : static_cast<int>(step.locks > static_cast<int>(step.cancel_lock));
          },
          [&](int fiber, double from, double to, int held, bool to_the_end) {
            if (held == 0) return;
            locks.push_back({{"fiber", lanes_.LaneOf(fiber)},
                             {"from", from},
                             {"to", to},
                             {"name", cancel ? "cancel lock" : "spin lock"},
                             {"kept", to_the_end}});
          });
    }
    return locks;
  }

  json Irql() const {
    json spans = json::array();
    ForEachSpan([](const DriverStep& step) { return step.irql; },
                [&](int fiber, double from, double to, int level, bool) {
                  spans.push_back({{"fiber", lanes_.LaneOf(fiber)},
                                   {"from", from},
                                   {"to", to},
                                   {"level", std::min(level, 2)}});
                });
    return spans;
  }

 private:
  // Calls span(fiber, from, to, value, whether it lasts to the end) for each stretch of rows in
  // which value(step) is the same for the steps of one fiber.
  template <typename Value, typename Span>
  void ForEachSpan(const Value& value, const Span& span) const {
    for (int fiber = 0; fiber < observation_.story.fibers; ++fiber) {
      int first = -1;
      for (int i = 0; i < rows(); ++i) {
        if (steps_[i].fiber != fiber) continue;
        if (first >= 0 && value(steps_[i]) == value(steps_[first])) continue;
        if (first >= 0) span(fiber, first - 0.5, i - 0.5, value(steps_[first]), false);
        first = i;
      }
      if (first < 0) continue;
      span(fiber, first - 0.5, rows() - 0.5, value(steps_[first]), true);
    }
  }

  const DriverObservation& observation_;
  const std::vector<DriverStep>& steps_;
  const DriverLanes& lanes_;
  std::vector<int> ends_;   // of calls: the row of the return, or rows()
  std::vector<int> depth_;  // open calls around
  int guilty_ = -1;         // the last step of the fiber that broke the rule
};

}  // namespace

nlohmann::json DriverSceneOf(const DriverObservation& observation, const std::string& title) {
  const DriverLanes lanes(observation.story);
  const DriverScene scene(observation, lanes);
  DriverProgramFile file;
  file.program = observation.program;
  const std::string line = DriverVerdictLine(observation);
  return {{"title", title},
          {"verdict", VerdictKey(observation.verdict)},
          {"reason", observation.verdict.reason},
          {"ok", observation.verdict.ok()},
          {"counts", line.substr(line.rfind('[') + 1, line.size() - line.rfind('[') - 2)},
          {"program", PrintDriverProgram(file)},
          {"fibers", lanes.names().size()},
          {"lanes", lanes.names()},
          {"rows", scene.rows()},
          {"evidence", observation.verdict.evidence},
          {"calls", scene.Calls()},
          {"events", scene.Events()},
          {"marks", scene.Marks()},
          {"locks", scene.Locks()},
          {"irql", scene.Irql()},
          {"arrows", json::array()},
          {"race", nullptr}};
}

}  // namespace cancelsafe::drivers
