// See engine.h: what engines have in common.
#include "fuzzers/campaign/engine.h"

#include "absl/strings/str_cat.h"

namespace cancelsafe {

std::string SlotId::name() const {
  return absl::StrCat(target->name, "-", sanitizer->name, "-", copy);
}

std::string ProgramPath(const CampaignOptions& options, const SlotId& id,
                        const std::string& ending) {
  return absl::StrCat(options.build, "/", id.sanitizer->preset, "/fuzzers/targets/",
                      id.target->name, ending);
}

std::vector<std::string> TargetFlags(const CampaignOptions& options, const std::string& artifacts,
                                     const std::string& folder) {
  std::vector<std::string> flags = {absl::StrCat("--artifacts=", artifacts),
                                    absl::StrCat("--stats=", folder, "/stats")};
  if (options.guest.points == "all") flags.push_back("--points=all");
  if (options.guest.strict) flags.push_back("--strict");
  for (const std::string& rule : options.guest.ignore) {
    flags.push_back(absl::StrCat("--ignore=", rule));
  }
  if (!options.guest.implementation.empty()) {
    flags.push_back(absl::StrCat("--implementation=", options.guest.implementation));
  }
  return flags;
}

}  // namespace cancelsafe
