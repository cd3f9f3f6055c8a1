// --target, the same for every tool that reads inputs which may not say their family.
#ifndef CANCELSAFE_FUZZERS_TOOLS_TARGET_FLAG_H_
#define CANCELSAFE_FUZZERS_TOOLS_TARGET_FLAG_H_

#include <string>

#include "absl/strings/str_join.h"
#include "command/flags.h"
#include "fuzzers/targets/target_names.h"

namespace cancelsafe {

// FamilyOfTarget (guest.h) says what the value means.
inline void AddTarget(CLI::App* app, std::string* target) {
  AddText(app, "--target", target, absl::StrJoin(FuzzTargetNames(false), "|"),
          "the target of inputs that do not say it themselves");
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_TARGET_FLAG_H_
