// One target under one sanitizer for its share of the campaign's time: its life, and
// what came of it. What depends on the engine is in engine.h.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/process.h"
#include "fuzzers/campaign/engine.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/target_log.h"
#include "fuzzers/campaign/workspace.h"
#include "fuzzers/targets/stats.h"

namespace cancelsafe {

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
  uint64_t operations = 0;            // executed
  uint64_t skipped[kSkipCount] = {};  // left out, by Skip
  uint64_t left_out = 0;              // of a driver's program
  uint64_t unknown = 0;               // runs that could not be judged
  uint64_t ignored = 0;               // of a driver: whose rule is left out, or was saved before
  uint64_t unconfirmed = 0;           // violations that did not happen a second time
};

class Slot {
 public:
  // The references have to outlive the slot. Times are seconds of any one clock.
  Slot(const SlotId& id, const CampaignOptions& options, Workspace* workspace);
  ~Slot();

  // Paths of what it needs to run.
  std::vector<std::string> Programs() const { return engine_->Programs(); }

  // Starts the target for `seconds`. An error is one of set-up. A target that ends of what
  // --ignore leaves out is started again for the rest of them.
  absl::Status Start(int seconds, double now);
  // Takes in what the target printed and notices its end. Never waits.
  void Advance(double now);
  // Asks the target to end; a later Advance kills it if it does not.
  void Stop(double now);

  // To poll() for; -1 unless running.
  int output() const { return process_ == nullptr ? -1 : process_->output(); }
  SlotState state() const { return state_; }
  SlotStatus Status(double now) const;
  const std::vector<Finding>& findings() const { return findings_; }
  // Why the target could not do its work.
  const std::string& complaint() const { return outcome_.complaint; }
  // What people should know besides, or "".
  const std::string& remark() const { return outcome_.remark; }

 private:
  absl::Status StartProcess(int seconds);
  bool StartAgain(double now);
  void End(const ExitStatus& exit, double now);
  void Collect(double now, bool ended);
  bool Hangs(double now);

  const SlotId id_;
  const CampaignOptions& options_;
  Workspace* const workspace_;
  const std::unique_ptr<EngineRun> engine_;

  SlotState state_ = SlotState::kWaiting;
  std::unique_ptr<TargetLog> log_;
  std::unique_ptr<Process> process_;
  TargetStats* stats_ = nullptr;
  double started_ = 0;
  double ended_ = 0;
  double deadline_ = 0;     // when a target that has not ended is stopped
  double over_ = 0;         // when its time is over
  uint64_t runs_seen_ = 0;  // and since when there was none more
  double runs_seen_at_ = 0;
  int starts_again_ = 0;
  std::optional<double> stop_;  // when it was asked to end
  bool stopped_by_user_ = false;
  std::vector<Finding> findings_;
  EngineOutcome outcome_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_SLOT_H_
