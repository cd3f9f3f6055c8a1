// What a campaign asks of a fuzz engine: how a target is run under it, and what came
// of that. A slot does everything else. One class per engine, in a file of its own.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_ENGINE_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/workspace.h"

namespace cancelsafe {

// Which slot of a campaign.
struct SlotId {
  const FuzzTarget* target = nullptr;
  const CampaignSanitizer* sanitizer = nullptr;
  int copy = 0;        // tells slots of the same target and sanitizer apart
  bool first = false;  // of its target

  std::string name() const;  // "csq-thread-0"
};

enum class SlotState {
  kWaiting,
  kRunning,
  kDone,     // its time is over, nothing found
  kFound,    // ended by a violation, or after one
  kStopped,  // ended by the user
  kNotRun,   // could not do its work, see complaint
};

struct EngineCommand {
  std::vector<std::string> arguments;    // the program first
  std::vector<std::string> environment;  // NAME=VALUE, beside what there is
};

// How a process of the engine's ended.
struct EngineEnd {
  TargetDeath death;
  bool stopped_by_user = false;
  bool stopped_by_time = false;  // it was asked to end since its time was over
};

struct EngineOutcome {
  SlotState state = SlotState::kDone;
  std::string complaint;  // why it could not do its work, for kNotRun
  bool again = false;     // it has time left, and can go on from where it was
  std::string remark;     // what people should know besides, or ""
};

class EngineRun {
 public:
  virtual ~EngineRun() = default;

  // Paths of the programs that have to be there.
  virtual std::vector<std::string> Programs() const = 0;
  // Makes ready what the engine needs, and says what to start. `folder` is the slot's;
  // the target's counters are in its file "stats".
  virtual absl::StatusOr<EngineCommand> Prepare(const std::string& folder, int seconds) = 0;
  // Whether it ends by itself after these seconds; otherwise it has to be asked.
  virtual bool EndsByItself() const = 0;
  // Adds what was found since the last call, once per kind of verdict and clause.
  // `when` says when: "after 12 runs". Called now and then while it runs, and once after it has
  // `ended`: what is still being confirmed then was not confirmed.
  virtual void Collect(const std::string& when, bool ended, std::vector<Finding>* findings) = 0;
  // What is to be made of the end; adds the findings that show only then. The last
  // call.
  virtual EngineOutcome Judge(const EngineEnd& end, std::vector<Finding>* findings) = 0;
  // Number of inputs that it goes on from.
  virtual int CorpusSize() const = 0;
};

// `id`, `options` and `workspace` have to outlive the result.
std::unique_ptr<EngineRun> MakeLibFuzzerRun(const SlotId& id, const CampaignOptions& options,
                                            Workspace* workspace);
std::unique_ptr<EngineRun> MakeAflRun(const SlotId& id, const CampaignOptions& options,
                                      Workspace* workspace);

// For engines: where the build has put a target's program, "csq" with ending
// "_fuzzer", and the flags that all engines give it.
std::string ProgramPath(const CampaignOptions& options, const SlotId& id,
                        const std::string& ending);
std::vector<std::string> TargetFlags(const CampaignOptions& options, const SlotId& id,
                                     const std::string& artifacts, const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_ENGINE_H_
