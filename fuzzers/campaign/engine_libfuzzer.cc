// See engine.h: libFuzzer, which is linked into the target and ends with the first
// finding. One that dies of what --ignore leaves out is started again.
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/campaign/engine.h"

namespace cancelsafe {
namespace {

// After as many ends in a row of what is left out, before anything was fuzzed, the next start
// would end there as well.
constexpr int kEndsInCorpusMax = 3;

// The exit statuses by which a target says that it cannot work.
constexpr int kTargetUsage = 2;
constexpr int kTargetSetup = 3;

// A run takes microseconds; one that takes this long hangs.
constexpr int kRunSecondsMax = 10;

class LibFuzzerRun : public EngineRun {
 public:
  LibFuzzerRun(const SlotId& id, const CampaignOptions& options, Workspace* workspace)
      : id_(id), options_(options), workspace_(*workspace) {}

  std::vector<std::string> Programs() const override {
    return {ProgramPath(options_, id_, "_fuzzer")};
  }

  absl::StatusOr<EngineCommand> Prepare(const std::string& folder, int seconds) override {
    EngineCommand command;
    command.arguments = {
        ProgramPath(options_, id_, "_fuzzer"),
        // The engine ends in the second after this one; 0 would be no limit.
        absl::StrCat("-max_total_time=", std::max(1, seconds - 1)),
        absl::StrCat("-max_len=", id_.target->input_max),
        // Within the slot's time, so that a guest that hangs is told in time.
        absl::StrCat("-timeout=", std::clamp(seconds / 2, 1, kRunSecondsMax)),
        "-rss_limit_mb=2048",
        "-use_value_profile=0",
        // Weighing thousands of features after every run costs more than it finds here,
        // and an input shorter than the header decodes to an empty program.
        "-entropic=0",
        "-len_control=0",
        "-print_final_stats=0",
        // With the process in the name, what an earlier campaign left is not overwritten.
        absl::StrCat("-artifact_prefix=", folder, "/", getpid(), "-"),
    };
    if (options_.schedules > 0) {
      command.arguments.push_back(absl::StrCat("--schedules=", options_.schedules));
    }
    for (std::string& flag : TargetFlags(options_, id_, options_.findings, folder)) {
      command.arguments.push_back(std::move(flag));
    }
    if (options_.seed != 0) {
      command.arguments.push_back(absl::StrCat("-seed=", options_.seed + id_.copy));
    }
    for (const std::string& rule : found_) {
      command.arguments.push_back(absl::StrCat("--ignore=", rule));
    }
    command.arguments.push_back(workspace_.CorpusFolder(*id_.target));
    return command;
  }

  bool EndsByItself() const override { return true; }
  void Collect(const std::string&, bool, std::vector<Finding>*) override {}

  EngineOutcome Judge(const EngineEnd& end, std::vector<Finding>* findings) override {
    const ExitStatus& exit = end.death.exit;
    const LogFacts& facts = end.death.facts;
    EngineOutcome outcome;
    const bool died = !facts.artifact.empty() || facts.report;
    for (const TargetReport& report : facts.unconfirmed) {
      findings->push_back(FindingOf(report, end.death));
    }
    if (facts.left_out && !facts.report) {
      outcome.again = true;
      outcome.state = end.stopped_by_user ? SlotState::kStopped : SlotState::kDone;
      unlink(facts.artifact.c_str());
      in_corpus_ = facts.through_corpus ? 0 : in_corpus_ + 1;
      if (in_corpus_ == kEndsInCorpusMax && !end.stopped_by_user) {
        outcome.again = false;
        outcome.state = SlotState::kNotRun;
        outcome.complaint = absl::StrCat("it ends of what is left out while it reads ",
                                         workspace_.CorpusFolder(*id_.target),
                                         ", and fuzzes nothing: give it "
                                         "another --work folder, or mend what is left out");
      }
    } else if (!died && exit.clean() && facts.done) {
      outcome.state = SlotState::kDone;
    } else if (!died && end.stopped_by_user) {
      outcome.state = SlotState::kStopped;
    } else if (!died && !exit.signaled && !facts.complaint.empty() &&
               (exit.code == kTargetUsage || exit.code == kTargetSetup)) {
      outcome.state = SlotState::kNotRun;
      outcome.complaint = facts.complaint;
    } else {
      outcome.state = SlotState::kFound;
      TargetDeath death = end.death;
      death.overtime = end.stopped_by_time && !end.stopped_by_user;
      findings->push_back(FindingOf(death, options_));
      // What was found is left out from here on; what has no rule would only be found again.
      outcome.again = options_.keep_going && facts.report.has_value() && !end.stopped_by_user;
      if (outcome.again) found_.push_back(facts.report->verdict.rule);
    }
    return outcome;
  }

  int CorpusSize() const override { return workspace_.CorpusSize(*id_.target); }

 private:
  const SlotId& id_;
  const CampaignOptions& options_;
  const Workspace& workspace_;
  std::vector<std::string> found_;  // rules
  int in_corpus_ = 0;               // starts in a row that ended while it read its corpus
};

}  // namespace

std::unique_ptr<EngineRun> MakeLibFuzzerRun(const SlotId& id, const CampaignOptions& options,
                                            Workspace* workspace) {
  return std::make_unique<LibFuzzerRun>(id, options, workspace);
}

}  // namespace cancelsafe
