// The columns of a run of a driver: of its fibers, those on which something happened.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_LANES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_LANES_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/driver_story.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::drivers {

class DriverLanes {
 public:
  explicit DriverLanes(const DriverStory& story) {
    bool used[schedule::kFiberCapacity] = {};
    for (const DriverStep& step : story.steps) used[step.fiber] = true;
    for (int fiber = 0; fiber < story.fibers; ++fiber) {
      lane_[fiber] = static_cast<int>(names_.size());
      if (!used[fiber] && fiber >= story.program_fibers) continue;
      names_.push_back(fiber < story.program_fibers    ? absl::StrCat("fiber ", fiber)
                       : fiber == story.program_fibers ? "the run"
                                                       : absl::StrCat("fiber ", fiber, ", driver"));
    }
  }
  int LaneOf(int fiber) const { return lane_[fiber]; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  int lane_[schedule::kFiberCapacity] = {};
  std::vector<std::string> names_;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_LANES_H_
