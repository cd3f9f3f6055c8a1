// What a campaign found: one entry per cause (fuzzers/run/cause.h), however many
// targets met it. Also makes a finding of a target that died without a verdict.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_FINDINGS_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_FINDINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/process.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/target_log.h"

namespace cancelsafe {

struct Finding {
  std::string key;           // equal for findings that count as the same
  std::string verdict_line;  // "VERDICT kind clause (rule): reason"
  std::string found_by;      // "csq_fuzzer (thread) after 12 runs"
  std::string saved;         // path, or "" if nothing could be saved
  std::string replay;        // command, or ""
  std::string sanitizer;     // of the build in which it was found
  std::vector<std::string> notes;
  std::vector<std::string> again;  // who else found it
  // The engine told it of a process that died: no run was judged, and none made again.
  bool of_death = false;
};

// Shown apart from the same violation where that could be confirmed.
void MarkUnconfirmed(const std::string& why, Finding* finding);

// The end of a target that is not what it should be.
struct TargetDeath {
  const FuzzTarget* target = nullptr;
  const CampaignSanitizer* sanitizer = nullptr;
  uint64_t runs = 0;
  bool overtime = false;  // it had to be killed
  ExitStatus exit;
  LogFacts facts;
  std::string log_path;
};

// A violation that a target reported; `death` says which target. Its key is that of the
// verdict, and another one if the target could not make the violation happen again.
Finding FindingOf(const TargetReport& report, const TargetDeath& death);

// The verdict that the target printed. If it printed none, one that says what
// became of the process (crash, time-out, out of memory, exit), with the
// engine's artifact decoded into a readable file in the folder of findings.
Finding FindingOf(const TargetDeath& death, const CampaignOptions& options);

// A failure as the target has saved it, but for who found it. False if the file cannot
// be read or has no verdict.
bool ReadSavedFailure(const std::string& path, Finding* finding);

// Moves its file to the folder of findings.
void MoveToFindings(const CampaignOptions& options, Finding* finding);

class FindingList {
 public:
  // A finding that is there already counts as found again.
  void Add(Finding finding);
  const std::vector<Finding>& all() const { return findings_; }
  std::vector<Finding>* mutable_all() { return &findings_; }
  bool empty() const { return findings_.empty(); }

 private:
  std::vector<Finding> findings_;
};

// The end of the summary: every finding with its file and replay command.
std::string DescribeFindings(const FindingList& findings);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_FINDINGS_H_
