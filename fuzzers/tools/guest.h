// What the flags about the implementation under test mean to the harness: the one place
// where tools turn them into an implementation, and options for the runner.
#ifndef CANCELSAFE_FUZZERS_TOOLS_GUEST_H_
#define CANCELSAFE_FUZZERS_TOOLS_GUEST_H_

#include <optional>
#include <string>

#include "command/guest_flags.h"
#include "fuzzers/run/runner.h"
#include "impl/implementation.h"

namespace cancelsafe {

// Throws a UsageError if a rule that is to be ignored does not exist, or if this build has
// no memory models and one is named.
RunnerOptions RunnerOptionsOf(const GuestFlags& flags);

// The built-in implementation or the one named. Throws a SetupError if it cannot be
// loaded.
Implementation LoadGuest(const GuestFlags& flags);

// Throws a SetupError if the runner lacks a routine.
void CheckProvided(const char* missing);

// The family of a target; nothing for "". Throws a UsageError for other names.
std::optional<Family> FamilyOfTarget(const std::string& target);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_GUEST_H_
