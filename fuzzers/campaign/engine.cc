// See engine.h: what engines have in common.
#include "fuzzers/campaign/engine.h"

#include "absl/strings/str_cat.h"

namespace cancelsafe {

std::string SlotId::name() const {
  return absl::StrCat(target->name, "-", sanitizer->name, "-", copy);
}

std::string ProgramPath(const CampaignOptions& options, const SlotId& id,
                        const std::string& ending) {
  if (!options.installed.empty()) {
    return absl::StrCat(options.installed, "/", id.target->name, ending);
  }
  return absl::StrCat(options.build, "/", id.sanitizer->preset, "/fuzzers/targets/",
                      id.target->name, ending);
}

std::vector<std::string> TargetFlags(const CampaignOptions& options, const SlotId& id,
                                     const std::string& artifacts, const std::string& folder) {
  const GuestFlags guest = TargetGuest(options, *id.sanitizer);
  std::vector<std::string> flags = {absl::StrCat("--artifacts=", artifacts),
                                    absl::StrCat("--stats=", folder, "/stats")};
  // In a driver every access is a point anyway.
  if (guest.points == "all" && !id.target->is_driver()) flags.push_back("--points=all");
  if (!guest.memory.empty()) flags.push_back(absl::StrCat("--memory=", guest.memory));
  if (guest.strict) flags.push_back("--strict");
  for (const std::string& rule : guest.ignore) {
    flags.push_back(absl::StrCat("--ignore=", rule));
  }
  for (const std::string& cause : options.known) {
    flags.push_back(absl::StrCat("--ignore=", cause));
  }
  if (!guest.implementation.empty()) {
    flags.push_back(absl::StrCat("--implementation=", guest.implementation));
  }
  if (id.target->is_driver()) {
    flags.push_back(absl::StrCat("--driver=", id.target->driver));
    flags.push_back(absl::StrCat("--learnt=", id.target->learnt));
    if (!id.target->profile.empty()) {
      flags.push_back(absl::StrCat("--profile=", id.target->profile));
    }
  }
  return flags;
}

}  // namespace cancelsafe
