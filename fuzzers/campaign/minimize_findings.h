// Findings as they are shown: confirmed where the engine could not do that itself, and with the
// shortest program that fails in the same way. What the engine found is kept beside it.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_MINIMIZE_FINDINGS_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_MINIMIZE_FINDINGS_H_

#include <string>

#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"

namespace cancelsafe {

// Has `program`, a cancelsafe of the build in which it was found, replay what a process died of. If
// that passes, it is unconfirmed: the file is then "unconfirmed-x.txt" and says why.
void ConfirmFinding(const std::string& program, const CampaignOptions& options, Finding* finding);

// Has `program`, a cancelsafe of the build in which it was found, minimise the finding's
// file in the folder of findings: "x.txt" is then the minimised one and "x.raw.txt" what was
// found, and a note says so. Leaves a finding alone that has no such file, that is not
// confirmed, or that cannot be made smaller in time.
void MinimizeFinding(const std::string& program, const CampaignOptions& options, Finding* finding);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_MINIMIZE_FINDINGS_H_
