// See driver_observation.h. The forms are in driver_table.cc and driver_scene.cc.
#include "fuzzers/drivers/explain/driver_observation.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "fuzzers/drivers/explain/driver_source.h"
#include "fuzzers/explain/observation.h"

namespace cancelsafe::drivers {

DriverObservation ObserveDriver(DriverRunner* runner, const DriverImage& image,
                                const DriverProgram& program, const DriverRunOptions& options) {
  DriverObservation observation;
  observation.program = program;
  DriverRunOptions run = options;
  if (program.schedule.kind != schedule::Kind::kChoices) {
    run.schedule.record_choices = true;
    observation.program.schedule = runner->Run(program, run).schedule.executed;
  }
  run.tells_story = true;
  const DriverRunOutput& output = runner->Run(observation.program, run);
  observation.verdict = output.verdict;
  observation.story = *output.story;
  observation.preemptions = output.schedule.preemptions;
  observation.skipped = output.skipped;
  observation.stopped =
      output.schedule.status == schedule::RunStatus::kStopped && output.verdict.ok();
  for (DriverStep& step : observation.story.steps) {
    if (step.kind != StepKind::kSwitch) continue;
    const std::string place = PlaceInSource(image, step.site);
    step.text = absl::StrCat("step ", step.decision, ": preempted before ",
                             DescribePointKind(step.point, "lock"),
                             place.empty() ? "" : absl::StrCat(" (", place, ")"));
  }
  const std::string place = PlaceInSource(image, observation.story.failed_site);
  if (!observation.verdict.ok() && !place.empty()) {
    observation.verdict.evidence.push_back(absl::StrCat("where: ", place));
  }
  return observation;
}

std::string DriverVerdictLine(const DriverObservation& observation) {
  return absl::StrCat(
      VerdictLine(observation.verdict), " [",
      Counted(static_cast<int64_t>(observation.program.operations.size()), "operation"), ", ",
      Counted(observation.program.fibers, "fiber"), ", ",
      Counted(observation.preemptions, "preemption"), "]");
}

}  // namespace cancelsafe::drivers
