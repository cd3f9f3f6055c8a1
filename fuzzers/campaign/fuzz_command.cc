// cancelsafe fuzz: builds what is needed, replays the corpus, and runs a campaign.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/campaign/campaign.h"
#include "fuzzers/campaign/corpus_replay.h"

namespace cancelsafe {
namespace {

constexpr double kBenchmarkSecondsMax = 600;

struct Options {
  CampaignOptions campaign;
  std::string engine = "libfuzzer";
  std::vector<std::string> sanitizers;
  std::vector<std::string> targets;
  bool benchmark = false;
};

template <typename Row>
void AddOnce(const Row* row, std::vector<const Row*>* rows) {
  if (std::find(rows->begin(), rows->end(), row) == rows->end()) rows->push_back(row);
}

// Fills in what follows from the flags.
void Complete(Options* options) {
  CampaignOptions& campaign = options->campaign;
  campaign.engine = options->engine == "afl" ? CampaignEngine::kAfl : CampaignEngine::kLibFuzzer;
  if (options->benchmark && campaign.engine != CampaignEngine::kLibFuzzer) {
    throw UsageError("--benchmark measures under libfuzzer alone; leave out --engine");
  }
  for (const std::string& name : options->targets) {
    const FuzzTarget* const target = FindFuzzTarget(name);
    if (target == nullptr) CheckWord("target", name, FuzzTargetNames(true));
    AddOnce(target, &campaign.targets);
  }
  if (campaign.targets.empty()) {
    for (const FuzzTarget& target : FuzzTargets()) {
      if (!target.is_canary) campaign.targets.push_back(&target);
    }
  }
  if (options->sanitizers.empty()) {
    options->sanitizers = {"model", "thread", "address"};
    if (options->benchmark) options->sanitizers.insert(options->sanitizers.begin(), "none");
  }
  const auto model = std::find(options->sanitizers.begin(), options->sanitizers.end(), "model");
  if (!campaign.guest.memory.empty() && model == options->sanitizers.end()) {
    throw UsageError("--memory needs --sanitizer model: no other build has a memory engine");
  }
  for (const std::string& name : options->sanitizers) {
    AddOnce(FindSanitizer(name), &campaign.sanitizers);
  }
  std::string& guest = campaign.guest.implementation;
  if (!guest.empty()) {
    char path[PATH_MAX];
    if (access(guest.c_str(), R_OK) != 0 || realpath(guest.c_str(), path) == nullptr) {
      throw UsageError(absl::StrCat("--implementation: cannot read ", guest));
    }
    guest = path;  // targets run in folders of their own
  }
  campaign.build = TreePath("build");
  if (campaign.work.empty()) campaign.work = TreePath("build/campaign");
  if (campaign.corpus.empty()) campaign.corpus = TreePath("corpus");
  campaign.findings = campaign.work + "/findings";
}

std::vector<std::string> EngineTargets(const CampaignOptions& campaign) {
  std::vector<std::string> names;
  for (const FuzzTarget* target : campaign.targets) {
    if (campaign.engine == CampaignEngine::kAfl) {
      names.insert(names.end(), {target->name + "_afl", target->name + "_cmplog"});
    } else {
      names.push_back(target->name + "_fuzzer");
    }
  }
  if (campaign.engine == CampaignEngine::kAfl) names.push_back("cancelsafe_afl_mutator");
  return names;
}

// Builds targets and replay for every sanitizer; the programs that replay.
std::vector<std::string> BuildAll(const CampaignOptions& campaign) {
  std::vector<std::string> programs;
  for (const CampaignSanitizer* sanitizer : campaign.sanitizers) {
    const std::string tools = PresetForTools(sanitizer->name);
    std::vector<std::string> targets = EngineTargets(campaign);
    if (tools == sanitizer->preset) targets.push_back("cancelsafe");
    BuildTargets(sanitizer->preset, targets);
    if (tools != sanitizer->preset) BuildTargets(tools, {"cancelsafe"});
    programs.push_back(BuildFolder(tools) + "/cancelsafe");
  }
  return programs;
}

// Runs per second on fixed programs.
int RunBenchmark(const CampaignOptions& campaign) {
  for (const CampaignSanitizer* sanitizer : campaign.sanitizers) {
    for (const FuzzTarget* target : campaign.targets) {
      printf("%s (%s)\n", target->name.c_str(), sanitizer->name.c_str());
      fflush(stdout);
      const std::string folder = absl::StrCat(campaign.build, "/", sanitizer->preset);
      const absl::StatusOr<ChildEnd> end =
          RunProcess({absl::StrCat(folder, "/fuzzers/targets/", target->name, "_fuzzer"),
                      "--benchmark", "-verbosity=0"},
                     kBenchmarkSecondsMax,
                     [](absl::string_view text) { fwrite(text.data(), 1, text.size(), stdout); });
      if (!end.ok()) throw SetupError(std::string(end.status().message()));
      if (!end->status.clean()) {
        throw SetupError(absl::StrCat("the measurement of ", target->name, " ended with ",
                                      DescribeExit(end->status)));
      }
    }
  }
  return kExitOk;
}

int Run(Options* options) {
  Complete(options);
  const CampaignOptions& campaign = options->campaign;
  const std::vector<std::string> programs = BuildAll(campaign);
  if (options->benchmark) return RunBenchmark(campaign);
  CorpusEnd end = CorpusEnd::kPassed;
  {
    const StopSignals stop;
    end = ReplayCorpus(campaign, programs, stop, stdout);
  }
  if (end != CorpusEnd::kPassed) {
    fflush(stdout);
    fprintf(stderr, "cancelsafe fuzz: %s\n", DescribeCorpusEnd(end, campaign).c_str());
  }
  switch (end) {
    case CorpusEnd::kPassed:
      return RunCampaign(campaign, stdout, stderr);
    case CorpusEnd::kFailed:
    case CorpusEnd::kHangs:
      return kExitViolation;
    case CorpusEnd::kSetup:
      return kExitSetup;
    case CorpusEnd::kInterrupted:
      break;
  }
  return kExitInterrupted;
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  CampaignOptions& campaign = options->campaign;
  campaign.jobs = ProcessorCount();
  campaign.work.clear();
  campaign.corpus.clear();
  AddChoice(app, "--engine", &options->engine, {"libfuzzer", "afl"},
            "libfuzzer or AFL++, which has one main instance for each target, and secondaries for "
            "the other sanitizers and jobs; it goes on after a finding (libfuzzer)");
  AddSeconds(app, &campaign.seconds, "time of the whole campaign");
  AddJobs(app, &campaign.jobs,
          "processes that fuzz at the same time (as many as there are processors)");
  AddSanitizers(app, &options->sanitizers, "model, thread and address");
  AddGuestFlags(app, &campaign.guest);
  AddCorpus(app, &campaign.corpus);
  AddWork(app, &campaign.work, "the growing corpus, the logs and the findings", "build/campaign");
  AddSwitch(app, "--benchmark", &options->benchmark,
            "print the speed of each target instead (libfuzzer)");
  AddArguments(app, "TARGET", &options->targets, FuzzTargetNames(true));
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"fuzz", SubcommandGroup::kFind, "fuzz the queues, and stop at what is wrong with them",
     "[TARGET...]",
     "Replays the corpus, then fuzzes each target under each sanitizer, and ends with a table and "
     "what was found. Without a name every target takes part but canary, which has a known bug "
     "and must fail. Names may have dashes or underscores, and may end in _fuzzer.",
     "What was learnt stays in the work folder; an interrupted campaign goes on from there, under "
     "either engine. Failures are saved as readable text in its folder findings.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
