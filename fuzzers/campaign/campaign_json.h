// The results of a campaign for programs.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_JSON_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_JSON_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/slot.h"

namespace cancelsafe {

// One JSON object, described in fuzzers/README.md, with a line feed at its end.
std::string CampaignJson(const CampaignOptions& options, const std::vector<SlotStatus>& slots,
                         const FindingList& findings, int exit_status);

// Writes it where options.json says; nothing if that is "".
absl::Status WriteCampaignJson(const CampaignOptions& options, const std::string& json);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_JSON_H_
