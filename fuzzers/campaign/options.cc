// See options.h.
#include "fuzzers/campaign/options.h"

#include "command/flags.h"
#include "command/tree.h"

namespace cancelsafe {

const CampaignSanitizer* FindSanitizer(const std::string& name) {
  static const std::vector<CampaignSanitizer> sanitizers = [] {
    std::vector<CampaignSanitizer> all;
    for (const std::string& known : SanitizerNames())
      all.push_back({known, PresetForTargets(known)});
    return all;
  }();
  for (const CampaignSanitizer& sanitizer : sanitizers) {
    if (name == sanitizer.name) return &sanitizer;
  }
  return nullptr;
}

GuestFlags TargetGuest(const CampaignOptions& options, const CampaignSanitizer& sanitizer) {
  GuestFlags flags = options.guest.Under(sanitizer.name);
  if (sanitizer.name == "model" && flags.points.empty()) flags.points = "all";
  return flags;
}

}  // namespace cancelsafe
