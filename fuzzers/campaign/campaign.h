// A campaign: all slots, as many at a time as there are jobs, until the time is
// over, then the summary.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_H_

#include <cstdio>

#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"

namespace cancelsafe {

enum CampaignExit {
  kCampaignClean = 0,
  kCampaignViolation = 1,
  kCampaignUsage = 2,
  kCampaignSetup = 3,
  kCampaignInterrupted = 130,
};

// How the time is shared out: a slot is one target under one sanitizer, or one
// of several equal ones where there are more jobs than that.
struct TimeTable {
  int copies = 1;         // of each target and sanitizer
  int extra = 0;          // as many of these have one copy more
  int slot_seconds = 1;   // for each slot
  bool too_long = false;  // a second for each slot is more than the campaign has
};
TimeTable MakeTimeTable(const CampaignOptions& options);

// Runs the campaign, progress and summary to `out`, complaints to `error`.
// SIGINT, SIGTERM and SIGHUP end it early, with its children stopped and the
// summary printed. Call from a process with a single thread.
// `before` is what was found already, and is part of the summary.
CampaignExit RunCampaign(const CampaignOptions& options, FILE* out, FILE* error,
                         const FindingList& before = {});

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_H_
