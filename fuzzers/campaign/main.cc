// cancelsafe-campaign: the command line of a campaign. See campaign.h.
#include <cstdio>
#include <string>
#include <vector>

#include "fuzzers/campaign/campaign.h"
#include "fuzzers/campaign/options.h"

int main(int argc, char** argv) {
  const absl::StatusOr<cancelsafe::CampaignOptions> options =
      cancelsafe::ParseCampaignOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) {
    fprintf(stderr, "cancelsafe: %s\n", std::string(options.status().message()).c_str());
    return cancelsafe::kCampaignUsage;
  }
  if (options->help) {
    fputs(cancelsafe::CampaignHelp().c_str(), stdout);
    return 0;
  }
  return cancelsafe::RunCampaign(*options, stdout, stderr);
}
