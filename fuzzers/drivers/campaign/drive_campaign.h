// What `cancelsafe drive FILE.sys` does unless it is given a number of runs: a campaign with a
// fuzz engine, several processes at a time, a corpus that is kept, and what is found minimised.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_CAMPAIGN_DRIVE_CAMPAIGN_H_
#define CANCELSAFE_FUZZERS_DRIVERS_CAMPAIGN_DRIVE_CAMPAIGN_H_

#include <string>

#include "fuzzers/drivers/fuzz/drive_session.h"

namespace cancelsafe::drivers {

struct DriveCampaignOptions {
  // Its driver, implementation, seconds, runs (schedules of each process; 0: by time alone),
  // ignored rules, memory and directory.
  DriveSessionOptions session;
  std::string engine = "libfuzzer";  // or afl
  int jobs = 1;
  int seed = 0;      // of the engine; 0: by the clock
  std::string work;  // folder of the corpus; "": build/drive/<driver> in a checkout
};

// Prints for people; returns the exit status. In the build of this very program, in which the
// target is made if need be. Throws a UsageError or SetupError.
int DriveCampaign(const DriveCampaignOptions& options);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_CAMPAIGN_DRIVE_CAMPAIGN_H_
