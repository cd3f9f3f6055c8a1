// cancelsafe mutants: the command line. How the mutants are attacked is in run_mutants.h.
#include <algorithm>
#include <climits>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/mutants/run_mutants.h"
#include "fuzzers/mutants/table.h"
#include "fuzzers/targets/target_names.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr int kSeedsMax = 1000;
// The subset is attacked with a budget in inputs: its outcome depends on no clock.
constexpr AttackPlan kCiPlan = {1, 0, 6000, 20000, 5, 0};
constexpr int kCiJobs = 2;

std::vector<Mutant> Choose(const MutantsOptions& options, std::vector<Mutant> mutants) {
  if (!options.family.empty()) {
    const std::optional<Family> family = FindFamily(options.family);
    mutants.erase(std::remove_if(mutants.begin(), mutants.end(),
                                 [&](const Mutant& mutant) { return mutant.family != family; }),
                  mutants.end());
  }
  if (options.subset == "ci") mutants = FirstOfEachClass(mutants);
  if (options.ids.empty()) return mutants;
  std::vector<Mutant> chosen;
  for (const std::string& id : options.ids) {
    const auto found = std::find_if(mutants.begin(), mutants.end(),
                                    [&](const Mutant& mutant) { return mutant.id == id; });
    if (found == mutants.end()) {
      std::vector<std::string> ids;
      for (const Mutant& mutant : mutants) ids.push_back(mutant.id);
      throw UsageError(
          absl::StrCat("no mutant '", id, "'", DidYouMean(id, ids), "; --list shows them"));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

int PrintList(const std::vector<Mutant>& mutants) {
  for (const Mutant& mutant : mutants) {
    printf("%-36s %-20s %-40s %s\n", mutant.id.c_str(), FamilyName(mutant.family),
           mutant.bug_class.c_str(), mutant.story.c_str());
  }
  printf("%zu mutants\n", mutants.size());
  return 0;
}

// The plan that the flags describe.
void Complete(MutantsOptions* options) {
  int jobs = 1;
  if (options->subset == "ci") {
    options->plan = kCiPlan;
    jobs = kCiJobs;
  }
  for (int i = 0; i < kSanitizerCount && !options->sanitizer.empty(); ++i) {
    options->plan.with[i] = options->sanitizer == SanitizerName(static_cast<Sanitizer>(i));
  }
  if (!options->memory.empty() &&
      (!options->plan.with[static_cast<int>(Sanitizer::kModel)] || options->by == "verify")) {
    throw UsageError(options->by == "verify"
                         ? "--memory is for attacks; name the model in --scopes, as in 2x1:tso"
                         : "--memory needs --sanitizer model: no other build has a memory engine");
  }
  for (int i = 0; i < schedule::kMemoryModelCount; ++i) {
    if (options->memory == schedule::kMemoryModelNames[i]) {
      options->plan.memory = static_cast<schedule::MemoryModel>(i);
    }
  }
  if (options->seeds > 0) options->plan.seeds = options->seeds;
  if (options->runs > 0) options->plan.concurrent_runs = options->runs;
  if (options->seconds > 0) {
    options->plan.seconds = options->seconds;
    options->plan.concurrent_runs = 0;
  }
  if (options->jobs == 0) options->jobs = jobs;
  if (options->patches.empty()) options->patches = TreePath("fuzzers/mutants/patches");
  if (options->work.empty()) options->work = TreePath("build/mutants");
}

int Run(MutantsOptions* given) {
  if (given->by == "check") {
    if (!given->family.empty() || !given->subset.empty() || !given->json.empty()) {
      throw UsageError("--family, --subset and --json do not go with --by check: name mixes");
    }
    return CheckMixes(*given);
  }
  if (given->sanitizer == "none") throw UsageError("--sanitizer none goes with --by check alone");
  if (given->family == kDriverFamily) return AttackDrivers(*given);
  Complete(given);
  const MutantsOptions& options = *given;
  absl::StatusOr<std::vector<Mutant>> all = LoadMutants(options.patches);
  RequireOk(all);
  std::vector<Mutant> mutants = Choose(options, *std::move(all));
  if (options.list) return PrintList(mutants);
  LockWork(options.work);
  if (options.by == "verify") return VerifyMutants(options, mutants);
  return AttackMutants(options, std::move(mutants));
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<MutantsOptions>();
  AddNumber(app, "--seeds", &options->seeds, 1, kSeedsMax,
            "attacks per mutant, with seeds 1 to N (5)");
  AddNumber(app, "--seconds", &options->seconds, 1, 24 * 60 * 60,
            "time of one attack (60), or of --by check's search of one mix (100)");
  AddNumber(app, "--runs", &options->runs, 1, INT_MAX,
            "inputs of each concurrent stage of an attack, instead of its time");
  AddChoice(app, "--subset", &options->subset, {"all", "ci"},
            "ci: the first mutant of every bug class, with a fixed seed and number of inputs, two "
            "at a time (all)");
  std::vector<std::string> families;
  for (const FuzzTarget& target : FuzzTargets()) {
    if (!target.is_canary) families.push_back(FamilyName(target.family));
  }
  families.emplace_back(kDriverFamily);
  AddChoice(app, "--family", &options->family, families,
            "the mutants of this family alone; driver: the example drivers, broken and repaired "
            "(the families of queues)");
  AddChoice(app, "--by", &options->by, {"fuzz", "verify", "check"},
            "verify: by complete searches instead, the smallest scope that shows each; check: the "
            "reference implementation with several mistakes at once, of which 'check' should list "
            "each once (fuzz)");
  AddText(app, "--scopes", &options->scopes, "LIST",
          "with --by verify, fibers x calls, and where they are not as usual the model of memory, "
          "settings, items and operations, as in 2x2:rc11:settings=0:items=3 or 1x4:operations="
          "insert+cancel, which families without these do without (1x1,2x1,2x1:rc11)");
  AddChoice(
      app, "--sanitizer", &options->sanitizer,
      {SanitizerName(Sanitizer::kThread), SanitizerName(Sanitizer::kAddress),
       SanitizerName(Sanitizer::kModel), "none"},
      "attack in this build alone (in all three, one after the other); none: with --by check");
  AddChoice(app, "--memory", &options->memory, {"sc", "tso", "rc11"},
            "what a load may return in the model build (rc11)");
  AddJobs(app, &options->jobs, "mutants attacked at the same time (1)");
  AddText(app, "--json", &options->json, "FILE", "write the results as a list of objects");
  AddText(app, "--markdown", &options->markdown, "FILE",
          "write the table as it is in the documentation");
  AddText(app, "--plot", &options->plot, "FILE.svg",
          "with --by verify, draw how many mutants the scopes kill (needs gnuplot)");
  AddSwitch(app, "--list", &options->list, "print the mutants and end");
  AddText(app, "--patches", &options->patches, "DIR", "has the mutants (fuzzers/mutants/patches)");
  AddWork(app, &options->work, "shared objects, logs and saved failures", "build/mutants");
  AddArguments(app, "ID", &options->ids);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"mutants", SubcommandGroup::kMeasure, "measure the harness: which known bugs it catches",
     "[ID...]",
     "Builds each mutant of the optimized implementation (all, or those named), attacks it from "
     "an empty corpus with the fuzz targets, with one fiber first and then with up to four, and "
     "prints what caught it. Then does the same to the implementation as it is, which must come "
     "out clean.",
     "A mutant is caught if most seeds end with a verdict of a kind that its patch names; any "
     "other verdict is a wrong one and does not count. Exit status 1: one was not caught, or the "
     "implementation as it is was not clean.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
