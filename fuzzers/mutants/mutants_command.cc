// cancelsafe mutants: measures the harness by the known bugs that it catches.
#include <algorithm>
#include <climits>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/mutants/attack.h"
#include "fuzzers/mutants/by_verify.h"
#include "fuzzers/mutants/driver_mutants.h"
#include "fuzzers/mutants/guest.h"
#include "fuzzers/mutants/table.h"
#include "fuzzers/mutants/workers.h"
#include "fuzzers/targets/target_names.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr const char* kPresets[kSanitizerCount] = {"tsan", "asan", "model"};  // by Sanitizer
constexpr int kSeedsMax = 1000;
// The subset is attacked with a budget in inputs: its outcome depends on no clock.
constexpr AttackPlan kCiPlan = {1, 0, 30000, 20000, 5, 0};
constexpr int kCiJobs = 2;
// Likewise of drivers: one seed each.
constexpr DriverAttackPlan kCiDriverPlan = {1, 60000, 20, 2000};
constexpr char kDriverFamily[] = "driver";

struct MutantsOptions {
  std::vector<std::string> ids;  // empty: all
  AttackPlan plan;
  std::string subset;
  std::string family;                       // "" for all of queues
  std::string by;                           // "verify", else fuzz targets
  std::string scopes = "1x1,2x1,2x1:rc11";  // to verify
  std::string sanitizer;                    // "" for all
  std::string memory;                       // "" as the model flavour has it
  int seeds = 0;  // the flags that change a plan; 0 where they are not given
  int seconds = 0;
  int runs = 0;
  int jobs = 0;
  bool list = false;
  std::string json;      // "" for none
  std::string markdown;  // likewise
  std::string patches;
  std::string work;
};

void Check(const absl::Status& status) {
  if (!status.ok()) throw SetupError(std::string(status.message()));
}

std::string PresetPath(int sanitizer, const std::string& path) {
  return absl::StrCat(BuildFolder(kPresets[sanitizer]), "/", path);
}

// The implementation as it is, attacked through a family's target.
Mutant Unmutated(Family family) {
  Mutant mutant;
  mutant.id = absl::StrCat("unmutated-", FamilyName(family));
  mutant.family = family;
  return mutant;
}

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

using GuestBuilders = std::map<Sanitizer, GuestBuilder>;

MutantResult AttackOne(const MutantsOptions& options, const GuestBuilders& builders,
                       const Mutant& mutant) {
  MutantResult result;
  result.mutant = mutant;
  AttackSide sides[kSanitizerCount];
  for (const Sanitizer sanitizer : options.plan.sanitizers()) {
    const int i = static_cast<int>(sanitizer);
    sides[i].fuzzer = PresetPath(i, "fuzzers/targets/" + TargetFolderOf(mutant.family));
    sides[i].replay = PresetPath(i, "cancelsafe");
    const absl::StatusOr<std::string> guest = builders.at(sanitizer).Build(mutant);
    if (!guest.ok()) {
      result.complaint = std::string(guest.status().message());
      return result;
    }
    sides[i].guest = *guest;
  }
  absl::StatusOr<AttackResult> attack =
      Attack(mutant, options.plan, sides, absl::StrCat(options.work, "/attacks/", mutant.id));
  if (attack.ok()) {
    result.attack = *std::move(attack);
  } else {
    result.complaint = std::string(attack.status().message());
  }
  return result;
}

// Works from the root of the tree.
std::string CommandFor(const MutantsOptions& options) {
  std::string command = absl::StrCat("./cancelsafe mutants --seeds ", options.plan.seeds);
  if (options.plan.concurrent_runs > 0) {
    absl::StrAppend(&command, " --runs ", options.plan.concurrent_runs);
  } else {
    absl::StrAppend(&command, " --seconds ", options.plan.seconds);
  }
  if (!options.sanitizer.empty()) absl::StrAppend(&command, " --sanitizer ", options.sanitizer);
  if (!options.memory.empty()) absl::StrAppend(&command, " --memory ", options.memory);
  if (!options.ids.empty()) absl::StrAppend(&command, " ", absl::StrJoin(options.ids, " "));
  if (!options.markdown.empty()) absl::StrAppend(&command, " --markdown ", options.markdown);
  return command;
}

bool AllIsWell(const std::vector<MutantResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const MutantResult& result) {
    const MutantSummary summary = Summarize(result);
    if (!result.complaint.empty()) return false;
    if (result.mutant.path.empty()) return summary.wrong_seeds == 0;
    return summary.caught && summary.wrong_seeds == 0 && summary.replays_always() &&
           result.attack.races == result.attack.races_in_model;
  });
}

int PrintList(const std::vector<Mutant>& mutants) {
  for (const Mutant& mutant : mutants) {
    printf("%-36s %-20s %-40s %s\n", mutant.id.c_str(), FamilyName(mutant.family),
           mutant.bug_class.c_str(), mutant.story.c_str());
  }
  printf("%zu mutants\n", mutants.size());
  return 0;
}

int Report(const MutantsOptions& options, const std::vector<MutantResult>& results) {
  int caught = 0, all = 0;
  for (const MutantResult& result : results) {
    if (result.mutant.path.empty()) continue;
    ++all;
    caught += Summarize(result).caught;
  }
  const std::string remarks = Remarks(results);
  if (!remarks.empty()) printf("\n%s", remarks.c_str());
  printf("\n%d of %d mutants caught\n", caught, all);
  for (const auto& [path, contents] :
       {std::pair(options.json, JsonOf(results)),
        std::pair(options.markdown, MarkdownOf(results, CommandFor(options)))}) {
    if (path.empty()) continue;
    Check(WriteFileAtomically(path, contents));
  }
  return AllIsWell(results) ? kExitOk : kExitViolation;
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
                         : "--memory is for the model flavour alone; leave out --sanitizer");
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

// The programs that attack, and how to compile what they attack.
GuestBuilders MakeBuilders(const MutantsOptions& options) {
  std::vector<std::string> targets = {"cancelsafe"};
  for (const FuzzTarget& target : FuzzTargets()) {
    if (!target.is_canary) targets.push_back(target.name + "_fuzzer");
  }
  GuestBuilders builders;
  for (const Sanitizer sanitizer : options.plan.sanitizers()) {
    const int i = static_cast<int>(sanitizer);
    BuildTargets(kPresets[i], targets);
    const absl::StatusOr<GuestRecipe> recipe =
        ReadGuestRecipe(PresetPath(i, "fuzzers/mutants/guest.txt"));
    Check(recipe.status());
    absl::StatusOr<GuestBuilder> builder =
        GuestBuilder::Create(*recipe, absl::StrCat(options.work, "/", kPresets[i]));
    Check(builder.status());
    builders.emplace(sanitizer, *std::move(builder));
  }
  return builders;
}

// Each mutant by the smallest scope that shows it, one mutant after the other.
int RunVerify(const MutantsOptions& options, const std::vector<Mutant>& mutants) {
  const absl::StatusOr<std::vector<ScopeToTry>> scopes = ParseScopes(options.scopes);
  if (!scopes.ok()) throw UsageError(absl::StrCat("--scopes: ", scopes.status().message()));
  constexpr int kModel = static_cast<int>(Sanitizer::kModel);
  BuildTargets(kPresets[kModel], {"cancelsafe"});
  const absl::StatusOr<GuestRecipe> recipe =
      ReadGuestRecipe(PresetPath(kModel, "fuzzers/mutants/guest.txt"));
  Check(recipe.status());
  const absl::StatusOr<GuestBuilder> builder =
      GuestBuilder::Create(*recipe, absl::StrCat(options.work, "/", kPresets[kModel]));
  Check(builder.status());
  size_t width = 0;
  for (const Mutant& mutant : mutants) width = std::max(width, mutant.id.size());
  std::vector<VerifiedMutant> all;
  bool all_killed = true;
  for (const Mutant& mutant : mutants) {
    VerifiedMutant verified;
    verified.mutant = mutant;
    const absl::StatusOr<std::string> guest = builder->Build(mutant);
    if (guest.ok()) {
      verified = VerifyMutant(mutant, *scopes, options.jobs, PresetPath(kModel, "cancelsafe"),
                              *guest, options.work);
    } else {
      verified.complaint = std::string(guest.status().message());
    }
    all_killed &= verified.scope >= 0;
    fputs(VerifiedLine(verified, *scopes, width).c_str(), stdout);
    fflush(stdout);
    all.push_back(std::move(verified));
  }
  printf("\n%s\n", VerifiedSummary(all, *scopes).c_str());
  if (!options.markdown.empty()) {
    const std::string command =
        absl::StrCat("./cancelsafe mutants --by verify --scopes ", options.scopes,
                     options.ids.empty() ? "" : absl::StrCat(" ", absl::StrJoin(options.ids, " ")));
    Check(WriteFileAtomically(options.markdown, VerifiedMarkdown(all, *scopes, command)));
  }
  return all_killed ? kExitOk : kExitViolation;
}

void RefuseForDrivers(bool given, const char* flag) {
  if (given) throw UsageError(absl::StrCat(flag, " is not for --family ", kDriverFamily));
}

// The example drivers, one after the other.
int RunDrivers(const MutantsOptions& options) {
  RefuseForDrivers(!options.by.empty() && options.by != "fuzz", "--by");
  RefuseForDrivers(!options.sanitizer.empty(), "--sanitizer");
  RefuseForDrivers(options.seconds > 0, "--seconds");
  RefuseForDrivers(options.jobs > 1, "--jobs");
  const absl::StatusOr<std::vector<drivers::DriverExample>> all =
      drivers::LoadExamples(TreePath("fuzzers/drivers/examples"));
  Check(all.status());
  std::vector<std::string> names;
  for (const drivers::DriverExample& example : *all) names.push_back(example.name);
  for (const std::string& id : options.ids) CheckWord("mutant", id, names);
  DriverAttackPlan plan;
  if (options.subset == "ci") plan = kCiDriverPlan;
  if (options.seeds > 0) plan.seeds = options.seeds;
  if (options.runs > 0) plan.runs = options.runs;
  const std::string work = options.work.empty() ? TreePath("build/mutants") : options.work;
  Check(MakeFolder(work));
  std::string error;
  if (!options.list && !LockFolder(work, &error)) throw SetupError(error);
  size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::vector<DriverMutantResult> results;
  int well = 0;
  for (const drivers::DriverExample& example : *all) {
    if (!options.ids.empty() &&
        std::find(options.ids.begin(), options.ids.end(), example.name) == options.ids.end()) {
      continue;
    }
    if (options.list) {
      printf("%-*s %s\n", static_cast<int>(width), example.name.c_str(), example.story.c_str());
      continue;
    }
    if (example.of_memory) {
      printf("%-*s  left out: it shows with the memory engine only\n", static_cast<int>(width),
             example.name.c_str());
      continue;
    }
    results.push_back(AttackDriver(example, plan, OwnPath(), TreePath("impl/include/windows"),
                                   absl::StrCat(work, "/drivers/", example.name)));
    well += results.back().AllIsWell(plan);
    fputs(DriverTableLine(results.back(), plan, width).c_str(), stdout);
    fflush(stdout);
  }
  if (options.list) {
    printf("%zu mutants\n", names.size());
    return kExitOk;
  }
  printf("\n%d of %zu mutants caught by all seeds, replayed, and clean when repaired\n", well,
         results.size());
  std::string command = absl::StrCat("./cancelsafe mutants --family ", kDriverFamily, " --seeds ",
                                     plan.seeds, " --runs ", plan.runs);
  if (!options.ids.empty()) absl::StrAppend(&command, " ", absl::StrJoin(options.ids, " "));
  if (!options.json.empty()) Check(WriteFileAtomically(options.json, DriverJson(results)));
  if (!options.markdown.empty()) {
    Check(WriteFileAtomically(options.markdown, DriverMarkdown(results, plan, command)));
  }
  return static_cast<size_t>(well) == results.size() ? kExitOk : kExitViolation;
}

int Run(MutantsOptions* given) {
  if (given->family == kDriverFamily) return RunDrivers(*given);
  Complete(given);
  const MutantsOptions& options = *given;
  absl::StatusOr<std::vector<Mutant>> all = LoadMutants(options.patches);
  Check(all.status());
  std::vector<Mutant> mutants = Choose(options, *std::move(all));
  if (options.list) return PrintList(mutants);

  Check(MakeFolder(options.work));
  std::string error;
  if (!LockFolder(options.work, &error)) throw SetupError(error);
  if (options.by == "verify") return RunVerify(options, mutants);
  const GuestBuilders builders = MakeBuilders(options);
  // Without names everything is meant, and that it is clean to begin with as well.
  if (options.ids.empty()) {
    for (const FuzzTarget& target : FuzzTargets()) {
      if (!options.family.empty() && FindFamily(options.family) != target.family) continue;
      if (!target.is_canary) mutants.push_back(Unmutated(target.family));
    }
  }
  size_t width = 0;
  for (const Mutant& mutant : mutants) width = std::max(width, mutant.id.size());
  const std::vector<MutantResult> results = AttackAll(
      mutants, options.jobs, options.work,
      [&](const Mutant& mutant) { return AttackOne(options, builders, mutant); },
      [&](const MutantResult& result) {
        fputs(TableLine(result, width).c_str(), stdout);
        fflush(stdout);
      });
  return Report(options, results);
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<MutantsOptions>();
  AddNumber(app, "--seeds", &options->seeds, 1, kSeedsMax,
            "attacks per mutant, with seeds 1 to N (5)");
  AddNumber(app, "--seconds", &options->seconds, 1, 24 * 60 * 60, "time of one attack (60)");
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
  AddChoice(app, "--by", &options->by, {"fuzz", "verify"},
            "verify: by complete searches instead, the smallest scope that shows each (fuzz)");
  AddText(app, "--scopes", &options->scopes, "LIST",
          "with --by verify, fibers x calls, with a model of memory where it is not sc "
          "(1x1,2x1,2x1:rc11)");
  AddChoice(app, "--sanitizer", &options->sanitizer,
            {SanitizerName(Sanitizer::kThread), SanitizerName(Sanitizer::kAddress),
             SanitizerName(Sanitizer::kModel)},
            "attack with this flavour of the build alone (with all in turn)");
  AddChoice(app, "--memory", &options->memory, {"sc", "tso", "rc11"},
            "what a load may return in the model flavour (rc11)");
  AddJobs(app, &options->jobs, "mutants attacked at the same time (1)");
  AddText(app, "--json", &options->json, "FILE", "write the results as a list of objects");
  AddText(app, "--markdown", &options->markdown, "FILE",
          "write the table as it is in the documentation");
  AddSwitch(app, "--list", &options->list, "print the mutants and end");
  AddText(app, "--patches", &options->patches, "DIR", "has the mutants (fuzzers/mutants/patches)");
  AddWork(app, &options->work, "shared objects, logs and saved failures", "build/mutants");
  AddArguments(app, "ID", &options->ids);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"mutants", SubcommandGroup::kMeasure, "measure the harness by what known bugs it catches",
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
