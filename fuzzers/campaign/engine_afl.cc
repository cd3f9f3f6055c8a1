// See engine.h: AFL++. The first slot of a target is the main instance, and has CmpLog;
// the others are secondaries. Every instance begins with the corpus of the target that
// all engines share, and what it adds goes there in the end; so a campaign goes on
// where any other has stopped. AFL++ goes on after a crash, so a slot may have several
// findings: they come as text from the target, which saves each of its failures.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "fuzzers/campaign/afl_folder.h"
#include "fuzzers/campaign/engine.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr char kFullStability[] = "100.00%";

// As execvp would find it; the name itself if it is nowhere.
std::string FindProgram(const std::string& name) {
  const char* path = getenv("PATH");
  if (absl::StrContains(name, '/') || path == nullptr) return name;
  for (const absl::string_view folder : absl::StrSplit(path, ':')) {
    const std::string candidate = absl::StrCat(folder, "/", name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return name;
}

absl::Status MakeEmptyFolder(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) fs::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot create ", path, ": ", error.message()));
}

class AflRun : public EngineRun {
 public:
  AflRun(const SlotId& id, const CampaignOptions& options, Workspace* workspace)
      : id_(id),
        options_(options),
        workspace_(workspace),
        together_(absl::StrCat(options.work, "/afl/", id.target->name)),
        name_(absl::StrCat(id.sanitizer->name, "-", id.copy)),
        instance_(absl::StrCat(together_, "/", name_)) {}

  std::vector<std::string> Programs() const override {
    std::vector<std::string> programs = {FindProgram(options_.afl_fuzz), Target(), Mutator()};
    if (Compares()) programs.push_back(ComparingTarget());
    return programs;
  }

  absl::StatusOr<EngineCommand> Prepare(const std::string& folder, int) override {
    saved_ = folder + "/saved";
    absl::Status status = MakeEmptyFolder(saved_);
    // What a killed campaign has left.
    if (status.ok()) status = TakeOverQueue();
    if (status.ok()) status = MakeEmptyFolder(instance_);
    if (status.ok() && workspace_->CorpusSize(*id_.target) == 0) status = AddPlainSeed();
    if (!status.ok()) return status;
    EngineCommand command;
    command.arguments = {FindProgram(options_.afl_fuzz),
                         "-i",
                         workspace_->CorpusFolder(*id_.target),
                         "-o",
                         together_,
                         id_.first ? "-M" : "-S",
                         name_,
                         "-t",
                         "10000",
                         "-G",
                         absl::StrCat(id_.target->input_max)};
    if (Compares()) {
      command.arguments.push_back("-c");
      command.arguments.push_back(ComparingTarget());
    }
    command.arguments.push_back("--");
    command.arguments.push_back(Target());
    for (std::string& flag : TargetFlags(options_, id_, saved_, folder)) {
      command.arguments.push_back(std::move(flag));
    }
    command.environment = Environment();
    return command;
  }

  bool EndsByItself() const override { return false; }

  void Collect(const std::string& when, bool ended, std::vector<Finding>* findings) override {
    std::error_code error;
    for (fs::directory_iterator it(saved_, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() != ".txt") continue;
      fs::path path = it->path();
      const std::string name = path.filename().string();
      if (absl::StartsWith(name, kBeingConfirmed)) {
        if (!ended) continue;
        path.replace_filename(kUnconfirmed + name.substr(sizeof kBeingConfirmed - 1));
        std::error_code moved;
        fs::rename(it->path(), path, moved);
        if (moved) path = it->path();
      }
      TakeSaved(path.string(), when, findings);
    }
  }

  EngineOutcome Judge(const EngineEnd& end, std::vector<Finding>* findings) override {
    if (findings->empty() && !end.death.facts.left_out) AddUnexplained(end, "crashes", findings);
    AddUnexplained(end, "hangs", findings);
    EngineOutcome outcome;
    const std::string stability = FuzzerStat(instance_, "stability");
    if (!stability.empty() && stability != kFullStability) {
      outcome.remark = absl::StrCat("AFL++ saw a stability of ", stability,
                                    "; a target should do the same thing each time");
    }
    const absl::Status status = TakeOverQueue();
    if (!status.ok()) outcome.remark = std::string(status.message());
    const LogFacts& facts = end.death.facts;
    if (!findings->empty()) {
      outcome.state = SlotState::kFound;
    } else if (end.stopped_by_user) {
      outcome.state = SlotState::kStopped;
    } else if (end.stopped_by_time) {
      outcome.state = SlotState::kDone;
    } else {
      // What the target itself complained of explains what AFL++ did.
      outcome.state = SlotState::kNotRun;
      outcome.complaint = !facts.complaint.empty() ? facts.complaint
                          : !facts.engine_error.empty()
                              ? "AFL++: " + facts.engine_error
                              : "afl-fuzz ended with " + DescribeExit(end.death.exit);
      absl::StrAppend(&outcome.complaint, " (log: ", end.death.log_path, ")");
    }
    return outcome;
  }

  int CorpusSize() const override { return CountAflInputs(instance_, "queue"); }

 private:
  std::string Target() const { return ProgramPath(options_, id_, "_afl"); }
  // A driver's comparisons are looked at in the target itself.
  bool Compares() const { return id_.first && !id_.target->is_driver(); }
  std::string ComparingTarget() const { return ProgramPath(options_, id_, "_cmplog"); }
  std::string Mutator() const {
    return absl::StrCat(options_.build, "/", id_.sanitizer->preset,
                        "/fuzzers/targets/cancelsafe_afl_mutator.so");
  }

  std::vector<std::string> Environment() const {
    return {
        "AFL_CUSTOM_MUTATOR_LIBRARY=" + Mutator(),
        "AFL_CUSTOM_MUTATOR_ONLY=1",
        absl::StrCat("CANCELSAFE_FAMILY=",
                     id_.target->is_driver() ? "driver" : FamilyName(id_.target->family)),
        // Of a driver's mutator, which knows the target's flags for it.
        absl::StrCat("CANCELSAFE_LEARNT=", id_.target->learnt),
        absl::StrCat("CANCELSAFE_MEMORY=", TargetGuest(options_, *id_.sanitizer).memory),
        "AFL_NO_UI=1",
        // What the target prints goes to the log.
        "AFL_DEBUG_CHILD=1",
        "AFL_SKIP_CPUFREQ=1",
        "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1",
        "AFL_NO_AFFINITY=1",
        "AFL_NO_CRASH_README=1",
        "AFL_FAST_CAL=1",
        "AFL_CMPLOG_ONLY_NEW=1",
        // A seed that fails is a finding, and no reason to give up.
        "AFL_SKIP_CRASHES=1",
        "AFL_TESTCACHE_SIZE=50",
        "AFL_FORKSRV_INIT_TMOUT=60000",
        // AFL++ insists on the first two. It sees no leaks; the oracle does.
        "ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0",
        "UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1:print_stacktrace=0",
    };
  }

  // An input to begin with, where there are no seeds: a program that does nothing.
  absl::Status AddPlainSeed() {
    if (id_.target->is_driver()) {
      return workspace_->AddInput(*id_.target, "seed", "target driver\n").status();
    }
    Program program;
    program.setup.family = id_.target->family;
    std::string bytes(kMaxProgramBytes, '\0');
    bytes.resize(EncodeProgram(program, reinterpret_cast<uint8_t*>(&bytes[0]), bytes.size()));
    return workspace_->AddInput(*id_.target, "seed", bytes).status();
  }

  // What this instance has found of its own, into the corpus that all engines share.
  absl::Status TakeOverQueue() {
    for (const std::string& path : AflInputs(instance_, "queue")) {
      if (!IsOwnFind(path)) continue;
      const absl::StatusOr<std::string> bytes = ReadFile(path);
      if (!bytes.ok() || bytes->empty()) continue;
      const absl::StatusOr<bool> added = workspace_->AddInput(*id_.target, "afl", *bytes);
      if (!added.ok()) return added.status();
    }
    return absl::OkStatus();
  }

  // The first failure of the target with a verdict and clause is kept; more of them, from
  // this instance or from another, are duplicates.
  void TakeSaved(const std::string& path, const std::string& when, std::vector<Finding>* findings) {
    Finding finding;
    if (!ReadSavedFailure(path, &finding)) return;
    if (!known_.insert(finding.key).second) {
      unlink(path.c_str());
      return;
    }
    finding.sanitizer = id_.sanitizer->name;
    finding.found_by =
        absl::StrCat(id_.target->name, "_fuzzer (", id_.sanitizer->name, ", AFL++) ", when);
    if (workspace_->IsNews(absl::StrCat(id_.target->name, " ", finding.key))) {
      MoveToFindings(options_, &finding);
    } else {
      unlink(path.c_str());
      finding.saved.clear();
      finding.replay.clear();
    }
    findings->push_back(std::move(finding));
  }

  // Inputs that ended the target without a word.
  void AddUnexplained(const EngineEnd& end, const std::string& part,
                      std::vector<Finding>* findings) const {
    const std::vector<std::string> inputs = AflInputs(instance_, part);
    if (inputs.empty()) return;
    TargetDeath death = end.death;
    death.facts = LogFacts();
    death.facts.artifact = inputs.front();
    death.facts.engine_error =
        part == "hangs" ? "timeout after 10 seconds" : "signal " + SignalOf(inputs.front());
    findings->push_back(FindingOf(death, options_));
  }

  const SlotId& id_;
  const CampaignOptions& options_;
  Workspace* const workspace_;
  const std::string together_;  // the instances of the target are there
  const std::string name_;
  const std::string instance_;
  std::string saved_;  // where the target saves its failures
  std::set<std::string> known_;
};

}  // namespace

std::unique_ptr<EngineRun> MakeAflRun(const SlotId& id, const CampaignOptions& options,
                                      Workspace* workspace) {
  return std::make_unique<AflRun>(id, options, workspace);
}

}  // namespace cancelsafe
