// Child processes that are run to their end, or killed when their time is up.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_CHILD_H_
#define CANCELSAFE_FUZZERS_MUTANTS_CHILD_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/campaign/process.h"

namespace cancelsafe {

struct ChildEnd {
  ExitStatus status;
  bool timed_out = false;  // killed after seconds_max
  double seconds = 0;      // from start to end
};

// `on_output` gets what the child prints, in pieces. The error says why it could
// not be started.
absl::StatusOr<ChildEnd> RunChild(const std::vector<std::string>& arguments, double seconds_max,
                                  const std::function<void(absl::string_view)>& on_output);

// Of a clock that never goes back.
double SecondsNow();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_CHILD_H_
