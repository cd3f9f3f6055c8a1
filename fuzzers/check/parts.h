// A check is made of parts: hunts, one for each variant and family, in processes of the
// build that each needs, some at a time. Starts them, watches over them, and collects what
// they have found, also of one that did not come to its end.
#ifndef CANCELSAFE_FUZZERS_CHECK_PARTS_H_
#define CANCELSAFE_FUZZERS_CHECK_PARTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/signals.h"
#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt.h"

namespace cancelsafe {

struct Part {
  HuntPlan plan;
  std::string program;  // cancelsafe of the build for the variant
};

struct PartResult {
  std::vector<CheckFinding> findings;
  HuntCounts counts;
  std::string complaint;  // why it did not come to its end, or ""
  // A routine without which the family's queues cannot be set up or emptied, and that the
  // implementation has not got; or "". Nothing was run then.
  std::string not_provided;
};

struct PartsEnd {
  std::vector<PartResult> results;  // of those that were begun: the first of the parts
  bool stopped = false;             // by a user
};

// The plan as JSON, and the part that a process is: reads the plan, hunts, and writes a line
// for each finding and one with the counts to PLAN.found. Returns the exit status.
std::string PlanJson(const HuntPlan& plan);
absl::StatusOr<HuntPlan> ParsePlan(const std::string& text);
int RunPart(const std::string& plan_path);

// A routine without which the family's queues cannot be set up or emptied, and that is not
// provided; or "".
std::string MissingFor(Family family, const Implementation& implementation);

// Runs the parts in order, at most `jobs` at a time; their files go to `folder`. What the parts of
// one variant have found is not looked for again in those of the next, nor what those of a family
// have in the families that are made of it; parts that belong together stand together. `done` is
// called as each ends, with its number. Stops early when `stop` has a request.
PartsEnd RunParts(const std::vector<Part>& parts, int jobs, const std::string& folder,
                  const StopSignals& stop, const std::function<void(int, const PartResult&)>& done);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_PARTS_H_
