// cancelsafe fuzz: builds what is needed, replays the corpus, and runs a campaign.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/guest_build.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/campaign/campaign.h"
#include "fuzzers/campaign/campaign_json.h"
#include "fuzzers/campaign/corpus_replay.h"
#include "fuzzers/campaign/minimize_findings.h"
#include "fuzzers/tools/ignored.h"
#include "impl/guest_points.h"

namespace cancelsafe {
namespace {

constexpr double kBenchmarkSecondsMax = 600;

struct Options {
  CampaignOptions campaign;
  std::string engine = "libfuzzer";
  std::vector<std::string> sanitizers;
  std::vector<std::string> targets;
  bool benchmark = false;
  bool sanitizers_named = false;
  std::function<bool()> seconds_given;
};

template <typename Row>
void AddOnce(const Row* row, std::vector<const Row*>* rows) {
  if (std::find(rows->begin(), rows->end(), row) == rows->end()) rows->push_back(row);
}

// Leaves out the builds that cannot load the implementation, if the user has named none.
void KeepBuildsThatLoad(const std::string& path, bool free_to_choose,
                        std::vector<const CampaignSanitizer*>* builds) {
  const std::string guest = GuestSanitizer(path);
  std::vector<const CampaignSanitizer*> kept;
  for (const CampaignSanitizer* build : *builds) {
    if (!free_to_choose) BuildForGuest(path, build->name, "");  // throws if it cannot
    if (BuildLoads(build->name, guest)) kept.push_back(build);
  }
  if (kept.size() == builds->size()) return;
  if (kept.empty()) {
    throw UsageError(absl::StrCat(path, " was compiled with -fsanitize=", guest,
                                  ", which an installed cancelsafe cannot load: compile it without "
                                  "that flag, or use a checkout"));
  }
  *builds = std::move(kept);
  fprintf(stderr,
          "%s was compiled with -fsanitize=%s: it is fuzzed in the builds that can load it, %s.\n",
          path.c_str(), guest.c_str(),
          absl::StrJoin(*builds, " and ", [](std::string* text, const auto* build) {
            *text += build->name;
          }).c_str());
}

// An installation has the targets of one build, without sanitizer, and the corpus.
void CompleteInstalled(Options* options) {
  CampaignOptions& campaign = options->campaign;
  const std::filesystem::path prefix = std::filesystem::path(OwnPath()).parent_path().parent_path();
  for (const std::string& name : options->sanitizers) {
    if (name == "none") continue;
    throw UsageError(absl::StrCat("--sanitizer ", name,
                                  ": an installed cancelsafe has the build without sanitizer alone "
                                  "(none); the others need a checkout"));
  }
  if (campaign.engine == CampaignEngine::kAfl || options->benchmark) {
    throw UsageError("--engine afl and --benchmark need a checkout");
  }
  options->sanitizers = {"none"};
  campaign.installed = (prefix / "libexec/cancelsafe").string();
  if (campaign.work.empty()) campaign.work = "cancelsafe-campaign";
  if (campaign.corpus.empty()) campaign.corpus = (prefix / "share/cancelsafe/corpus").string();
}

// Fills in what follows from the flags.
void Complete(Options* options) {
  CampaignOptions& campaign = options->campaign;
  campaign.engine = options->engine == "afl" ? CampaignEngine::kAfl : CampaignEngine::kLibFuzzer;
  if (options->benchmark && campaign.engine != CampaignEngine::kLibFuzzer) {
    throw UsageError("--benchmark measures under libfuzzer alone; leave out --engine");
  }
  if (campaign.schedules > 0) {
    if (campaign.engine != CampaignEngine::kLibFuzzer) {
      throw UsageError("--schedules are counted under libfuzzer alone; leave out --engine");
    }
    if (options->seconds_given()) {
      throw UsageError("--schedules and --seconds are two budgets; leave out one of them");
    }
    campaign.seconds = kSecondsMax;
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
  options->sanitizers_named = !options->sanitizers.empty();
  if (!InTree()) CompleteInstalled(options);
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
  IgnoreSetOf(campaign.guest.ignore);
  std::string& guest = campaign.guest.implementation;
  if (!guest.empty()) {
    char path[PATH_MAX];
    if (access(guest.c_str(), R_OK) != 0 || realpath(guest.c_str(), path) == nullptr) {
      throw UsageError(absl::StrCat("--implementation: cannot read ", guest));
    }
    guest = path;  // targets run in folders of their own
    KeepBuildsThatLoad(guest, !options->sanitizers_named, &campaign.sanitizers);
    WarnOfRoutinesWithoutPoints(guest, campaign.guest.points == "all");
  }
  if (InTree()) {
    campaign.build = TreePath("build");
    if (campaign.work.empty()) campaign.work = TreePath("build/campaign");
    if (campaign.corpus.empty()) campaign.corpus = TreePath("corpus");
  }
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
  if (!campaign.installed.empty()) return {OwnPath()};
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
      RequireOk(end);
      if (!end->status.clean()) {
        throw SetupError(absl::StrCat("the measurement of ", target->name, " ended with ",
                                      DescribeExit(end->status)));
      }
    }
  }
  return kExitOk;
}

// The campaign after a replay of the corpus: what is known already is left out.
int GoOnAfter(const CorpusResult& corpus, const std::vector<std::string>& programs,
              CampaignOptions campaign) {
  campaign.known = corpus.ignore;
  campaign.fatal_seeds = corpus.fatal;
  for (const FuzzTarget* target : corpus.hanging) {
    campaign.targets.erase(std::find(campaign.targets.begin(), campaign.targets.end(), target));
  }
  campaign.refine = [&](Finding* finding) {
    absl::string_view words = finding->replay;
    if (absl::ConsumePrefix(&words, "./cancelsafe")) {
      finding->replay = absl::StrCat(FrontDoor(), words);
    }
    for (size_t i = 0; i < campaign.sanitizers.size(); ++i) {
      if (campaign.sanitizers[i]->name == finding->sanitizer) {
        ConfirmFinding(programs[i], campaign, finding);
        MinimizeFinding(programs[i], campaign, finding);
      }
    }
  };
  if (!campaign.targets.empty()) return RunCampaign(campaign, stdout, stderr, corpus.findings);
  FindingList findings = corpus.findings;
  for (Finding& finding : *findings.mutable_all()) campaign.refine(&finding);
  printf("\n%s", DescribeFindings(findings).c_str());
  const absl::Status written =
      WriteCampaignJson(campaign, CampaignJson(campaign, {}, findings, kExitViolation));
  RequireOk(written);
  return kExitViolation;
}

int Run(Options* options) {
  Complete(options);
  const CampaignOptions& campaign = options->campaign;
  const std::vector<std::string> programs = BuildAll(campaign);
  if (options->benchmark) return RunBenchmark(campaign);
  CorpusResult corpus;
  {
    const StopSignals stop;
    corpus = ReplayCorpus(campaign, programs, stop, stdout);
  }
  const std::string text = DescribeCorpusResult(corpus, campaign);
  if (!text.empty()) {
    fflush(stdout);
    fprintf(stderr, "cancelsafe fuzz: %s\n", text.c_str());
  }
  switch (corpus.end) {
    case CorpusEnd::kPassed:
    case CorpusEnd::kFailed: {
      const int status = GoOnAfter(corpus, programs, campaign);
      return corpus.end == CorpusEnd::kFailed && status == kExitOk ? kExitViolation : status;
    }
    case CorpusEnd::kSetup:
    case CorpusEnd::kInterrupted:
      break;
  }
  const int status = corpus.end == CorpusEnd::kSetup ? kExitSetup : kExitInterrupted;
  // That of an earlier campaign would be taken for this one's.
  const absl::Status written =
      WriteCampaignJson(campaign, CampaignJson(campaign, {}, corpus.findings, status));
  RequireOk(written);
  return status;
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
  options->seconds_given = [app] { return IsGiven(app, "--seconds"); };
  AddNumber(app, "--schedules", &campaign.schedules, 1, INT_MAX,
            "in place of a time: how many schedules each target runs under each sanitizer, at "
            "least (libfuzzer)");
  AddJobs(app, &campaign.jobs,
          "processes that fuzz at the same time (as many as there are processors)");
  AddSanitizers(app, &options->sanitizers, "model, thread and address");
  AddGuestFlags(app, &campaign.guest);
  AddCorpus(app, &campaign.corpus);
  AddWork(app, &campaign.work, "the growing corpus, the logs and the findings", "build/campaign");
  AddText(app, "--json", &campaign.json, "FILE",
          "write the results as JSON there; - is standard output, after everything else");
  AddSwitch(app, "--benchmark", &options->benchmark,
            "print the speed of each target instead (libfuzzer)");
  AddArguments(app, "TARGET", &options->targets, FuzzTargetNames(true));
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"fuzz", SubcommandGroup::kFind, "fuzz the queues, and report the violations found",
     "[TARGET...]",
     "Replays the corpus, then fuzzes each target under each sanitizer, and ends with a table and "
     "what was found. Without a name every target takes part but canary, which has a known bug "
     "and must fail. Names may have dashes or underscores, and may end in _fuzzer.",
     "The grown corpus stays in the work folder; an interrupted campaign goes on from there, under "
     "either engine. Failures are saved as readable text in its folder findings.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
