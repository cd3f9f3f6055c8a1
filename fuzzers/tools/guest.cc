// See guest.h.
#include "fuzzers/tools/guest.h"

#include "absl/strings/str_cat.h"
#include "command/status.h"
#include "command/suggest.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/targets/target_names.h"
#include "fuzzers/tools/ignored.h"

namespace cancelsafe {

RunnerOptions RunnerOptionsOf(const GuestFlags& flags) {
  RunnerOptions options;
  options.access_points = flags.points == "all";
  options.reading = ReadingFor(flags.implementation, flags.strict);
  if (!flags.memory.empty()) {
    const std::string wrong = ReadMemoryModel(flags.memory, &options.memory);
    if (!wrong.empty()) throw UsageError(wrong);
  }
  options.ignore = IgnoreSetOf(flags.ignore);
  return options;
}

Implementation LoadGuest(const GuestFlags& flags) {
  if (flags.implementation == kCanaryName) return CanaryImplementation();
  Implementation implementation = BuiltInImplementation();
  std::string error;
  const bool loaded =
      !flags.implementation.empty()
          ? LoadImplementation(flags.implementation, &implementation, &error)
          : flags.points != "all" || LoadBuiltInWithAccessPoints(&implementation, &error);
  if (!loaded) throw SetupError(error);
  return implementation;
}

void CheckProvided(const char* missing) {
  if (missing == nullptr) return;
  throw SetupError(
      absl::StrCat("the implementation does not provide ", missing, ", which this program needs"));
}

std::optional<Family> FamilyOfTarget(const std::string& target) {
  if (target.empty()) return std::nullopt;
  const FuzzTarget* found = FindFuzzTarget(target);
  if (found == nullptr) CheckWord("target", target, FuzzTargetNames(false));
  return found->family;
}

}  // namespace cancelsafe
