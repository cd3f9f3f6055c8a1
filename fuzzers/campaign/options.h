// What a campaign shall do, read from the command line. Nothing is run or
// touched here.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "oracle/operations.h"

namespace cancelsafe {

struct CampaignTarget {
  const char* name;  // "csq": its binary and its corpus folder are csq_fuzzer
  Family family;
};

struct CampaignSanitizer {
  const char* name;     // "thread"
  const char* flavour;  // "tsan": the folder of its build
};

enum class CampaignEngine { kLibFuzzer, kAfl };

struct CampaignOptions {
  CampaignEngine engine = CampaignEngine::kLibFuzzer;
  int seconds = 60;  // of the whole campaign
  int jobs = 1;      // targets that run at the same time
  std::vector<const CampaignTarget*> targets;
  std::vector<const CampaignSanitizer*> sanitizers;
  std::string implementation;  // path of a shared object, or "" for the built-in one
  bool all_points = false;
  bool strict = false;
  std::vector<std::string> ignore;
  std::string build = "build";    // holds <flavour>/fuzzers/targets/<target>_fuzzer
  std::string corpus = "corpus";  // holds <target>_fuzzer/{seeds,regressions}
  std::string work = "build/campaign";
  std::string findings = "build/campaign/findings";
  double stop_grace_seconds = 2;       // from SIGTERM to SIGKILL
  double overtime_grace_seconds = 60;  // for a target that does not end by itself
  std::string afl_fuzz = "afl-fuzz";   // AFL++'s program, looked up in PATH
  bool help = false;
};

// `arguments` without the program's name. Targets and sanitizers that were not
// named are the four queue targets, and thread and address. The error is what to
// tell the user: it says what is allowed.
absl::StatusOr<CampaignOptions> ParseCampaignOptions(const std::vector<std::string>& arguments);

// The manual, for --help.
std::string CampaignHelp();

// "csq_fuzzer" and "csq" are the same; null if there is no such target.
const CampaignTarget* FindTarget(const std::string& name);
const CampaignSanitizer* FindSanitizer(const std::string& name);

// The flags that replay needs to see the same thing, each with a leading space.
std::string ReplayFlags(const CampaignOptions& options);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_OPTIONS_H_
