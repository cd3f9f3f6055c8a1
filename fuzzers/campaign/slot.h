// One target under one sanitizer for its share of the campaign's time: its
// command line, its life, and what came of it.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/process.h"
#include "fuzzers/campaign/target_log.h"
#include "fuzzers/campaign/workspace.h"
#include "fuzzers/targets/stats.h"

namespace cancelsafe {

enum class SlotState {
  kWaiting,
  kRunning,
  kDone,     // its time is over, nothing found
  kFound,    // ended by a violation
  kStopped,  // ended by the user
  kNotRun,   // could not do its work, see Slot::complaint
};

// What people are shown of a slot.
struct SlotStatus {
  std::string target;
  std::string sanitizer;
  SlotState state = SlotState::kWaiting;
  double seconds = 0;  // it has been running
  uint64_t runs = 0;
  uint32_t states = 0;  // distinct (model state, operation) pairs
  int corpus = 0;       // files
  int findings = 0;
};

class Slot {
 public:
  // `copy` tells slots of the same target and sanitizer apart. The references
  // have to outlive the slot. Times are seconds of any one clock.
  Slot(const CampaignTarget& target, const CampaignSanitizer& sanitizer, int copy,
       const CampaignOptions& options, Workspace* workspace);
  ~Slot();

  std::string BinaryPath() const;

  // Starts the target for `seconds`. An error is one of set-up.
  absl::Status Start(int seconds, double now);
  // Takes in what the target printed and notices its end. Never waits.
  void Advance(double now);
  // Asks the target to end; a later Advance kills it if it does not.
  void Stop(double now);

  // To poll() for; -1 unless running.
  int output() const { return process_ == nullptr ? -1 : process_->output(); }
  SlotState state() const { return state_; }
  SlotStatus Status(double now) const;
  const std::optional<Finding>& finding() const { return finding_; }
  // Why the target could not do its work.
  const std::string& complaint() const { return complaint_; }

 private:
  std::string Name() const;
  std::vector<std::string> CommandLine(const std::string& folder, int seconds) const;
  void End(const ExitStatus& exit, double now);

  const CampaignTarget& target_;
  const CampaignSanitizer& sanitizer_;
  const int copy_;
  const CampaignOptions& options_;
  Workspace* const workspace_;

  SlotState state_ = SlotState::kWaiting;
  std::unique_ptr<TargetLog> log_;
  std::unique_ptr<Process> process_;
  TargetStats* stats_ = nullptr;
  double started_ = 0;
  double ended_ = 0;
  double deadline_ = 0;         // when a target that has not ended is stopped
  std::optional<double> stop_;  // when it was asked to end
  bool stopped_by_user_ = false;
  std::optional<Finding> finding_;
  std::string complaint_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_
