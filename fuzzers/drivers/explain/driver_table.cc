// The table of a run of a driver. See driver_observation.h.
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzzers/drivers/explain/driver_lanes.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/run/columns.h"

namespace cancelsafe::drivers {
namespace {

const char* LocksOf(const DriverStep& step) {
  if (!step.cancel_lock) return step.locks > 0 ? "L" : "";
  return step.locks > 1 ? "LC" : "C";
}

// The step at which the call that begins at step `i` returns, if nothing but events of its own
// fiber lies between; else -1.
int UninterruptedReturn(const std::vector<DriverStep>& steps, size_t i) {
  for (size_t j = i + 1; j < steps.size(); ++j) {
    if (steps[j].fiber != steps[i].fiber) return -1;
    if (steps[j].kind == StepKind::kReturn) return static_cast<int>(j);
    if (steps[j].kind != StepKind::kEvent) return -1;
  }
  return -1;
}

}  // namespace

std::string DriverTableOf(const DriverObservation& observation) {
  const std::vector<DriverStep>& steps = observation.story.steps;
  const DriverLanes lanes(observation.story);
  std::vector<ColumnRow> rows;
  std::vector<std::string> open[schedule::kFiberCapacity];
  for (size_t i = 0; i < steps.size(); ++i) {
    const DriverStep& step = steps[i];
    std::vector<std::string>& calls = open[step.fiber];
    std::string text;
    switch (step.kind) {
      case StepKind::kCall: {
        text = absl::StrCat(std::string(calls.size() * 2, ' '), step.text);
        const int end = UninterruptedReturn(steps, i);
        // What the run does by itself is told in one row for each call.
        if (end >= 0 &&
            (step.fiber == observation.story.program_fibers || end == static_cast<int>(i) + 1)) {
          for (int j = static_cast<int>(i) + 1; j < end; ++j) {
            if (steps[j].text.find(absl::StrCat("completes ", step.text)) == std::string::npos) {
              absl::StrAppend(&text, "; ", steps[j].text);
            }
          }
          if (!steps[end].text.empty()) absl::StrAppend(&text, " = ", steps[end].text);
          i = static_cast<size_t>(end);
          break;
        }
        calls.push_back(step.text);
        break;
      }
      case StepKind::kReturn: {
        const std::string call = calls.empty() ? "" : calls.back();
        if (!calls.empty()) calls.pop_back();
        text = absl::StrCat(std::string(calls.size() * 2, ' '), call,
                            step.text.empty() ? " returns" : " = ", step.text);
        break;
      }
      case StepKind::kEvent:
        text = absl::StrCat(std::string(calls.size() * 2, ' '), step.text);
        break;
      case StepKind::kSwitch:
        text = absl::StrCat("> ", step.text);
        break;
      case StepKind::kWait:
        text = absl::StrCat("~ ", step.text);
        break;
    }
    rows.push_back({lanes.LaneOf(step.fiber), EntryPrefix(step.irql, LocksOf(step)) + text});
  }
  std::string table = absl::StrCat(
      Columns(lanes.names(), rows),
      "Each entry begins with the IRQL; L: holds a spin lock, C: holds the cancel lock.\n");
  if (observation.skipped > 0) {
    absl::StrAppend(&table, observation.skipped,
                    " operations were left out, since a caller must not do them at that moment.\n");
  }
  if (!observation.verdict.evidence.empty()) {
    absl::StrAppend(&table, "\n", absl::StrJoin(observation.verdict.evidence, "\n"), "\n");
  }
  return table;
}

}  // namespace cancelsafe::drivers
