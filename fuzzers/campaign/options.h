// What a campaign shall do. Nothing is read, run or touched here.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "command/guest_flags.h"
#include "fuzzers/targets/target_names.h"

namespace cancelsafe {

struct Finding;

struct CampaignSanitizer {
  std::string name;    // "thread"
  std::string preset;  // "tsan": the folder of its build
};

// Null if there is no such sanitizer.
const CampaignSanitizer* FindSanitizer(const std::string& name);

enum class CampaignEngine { kLibFuzzer, kAfl };

struct CampaignOptions {
  CampaignEngine engine = CampaignEngine::kLibFuzzer;
  int seconds = 60;  // of the whole campaign
  // Of each target under each sanitizer, after which it ends; 0: by time alone. libFuzzer only.
  int schedules = 0;
  int seed = 0;  // from which the engines' are counted; 0: by the clock (libFuzzer)
  int jobs = 1;  // targets that run at the same time
  std::vector<const FuzzTarget*> targets;
  std::vector<const CampaignSanitizer*> sanitizers;
  GuestFlags guest;
  // A target that found something is started again without that rule (libFuzzer; AFL++ goes on
  // by itself).
  bool keep_going = false;
  bool stops_at_first = false;     // the first finding ends the campaign
  std::vector<std::string> known;  // causes that are left out beside guest.ignore: found already
  std::vector<std::string> fatal_seeds;  // files that an engine cannot start from
  // Makes a finding easier to read before it is shown; may be empty.
  std::function<void(Finding*)> refine;
  // Holds <target>_fuzzer of an installation; "" for a checkout, whose builds have them.
  std::string installed;
  std::string json;               // file for the results as JSON, "-" for standard output, or ""
  std::string build = "build";    // holds <preset>/fuzzers/targets/<target>_fuzzer
  std::string corpus = "corpus";  // holds <target>_fuzzer/{seeds,regressions}
  std::string work = "build/campaign";
  std::string findings = "build/campaign/findings";
  double stop_grace_seconds = 2;       // from SIGTERM to SIGKILL
  double overtime_grace_seconds = 60;  // for a target that does not end by itself
  std::string afl_fuzz = "afl-fuzz";   // AFL++'s program, looked up in PATH
};

// What the targets under this sanitizer are run with: what the user asked for and the
// build can do. In the model build the schedule may switch before every access unless the
// user says otherwise.
GuestFlags TargetGuest(const CampaignOptions& options, const CampaignSanitizer& sanitizer);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_
