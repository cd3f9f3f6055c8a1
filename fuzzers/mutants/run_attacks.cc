// Mutants attacked by the fuzz targets, from an empty corpus; see run_mutants.h.
#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/tree.h"
#include "fuzzers/mutants/run_mutants.h"
#include "fuzzers/mutants/table.h"
#include "fuzzers/mutants/workers.h"
#include "fuzzers/targets/target_names.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr const char* kPresets[kSanitizerCount] = {"tsan", "asan", "model"};  // by Sanitizer

// The implementation as it is, attacked through a family's target.
Mutant Unmutated(Family family) {
  Mutant mutant;
  mutant.id = absl::StrCat("unmutated-", FamilyName(family));
  mutant.family = family;
  return mutant;
}

using GuestBuilders = std::map<Sanitizer, GuestBuilder>;

MutantResult AttackOne(const MutantsOptions& options, const GuestBuilders& builders,
                       const Mutant& mutant) {
  MutantResult result;
  result.mutant = mutant;
  AttackSide sides[kSanitizerCount];
  for (const Sanitizer sanitizer : options.plan.sanitizers()) {
    const int i = static_cast<int>(sanitizer);
    sides[i].fuzzer = PresetPath(sanitizer, "fuzzers/targets/" + TargetFolderOf(mutant.family));
    sides[i].replay = PresetPath(sanitizer, "cancelsafe");
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
    RequireOk(WriteFileAtomically(path, contents));
  }
  return AllIsWell(results) ? kExitOk : kExitViolation;
}

// The programs that attack, and how to compile what they attack.
GuestBuilders MakeBuilders(const MutantsOptions& options) {
  std::vector<std::string> targets = {"cancelsafe"};
  for (const FuzzTarget& target : FuzzTargets()) {
    if (!target.is_canary) targets.push_back(target.name + "_fuzzer");
  }
  GuestBuilders builders;
  for (const Sanitizer sanitizer : options.plan.sanitizers()) {
    builders.emplace(sanitizer, BuildAttackers(options, sanitizer, targets));
  }
  return builders;
}

}  // namespace

std::string PresetPath(Sanitizer sanitizer, const std::string& path) {
  return absl::StrCat(BuildFolder(kPresets[static_cast<int>(sanitizer)]), "/", path);
}

GuestBuilder BuildAttackers(const MutantsOptions& options, Sanitizer sanitizer,
                            const std::vector<std::string>& targets) {
  const char* const preset = kPresets[static_cast<int>(sanitizer)];
  BuildTargets(preset, targets);
  const absl::StatusOr<GuestRecipe> recipe =
      ReadGuestRecipe(PresetPath(sanitizer, "fuzzers/mutants/guest.txt"));
  RequireOk(recipe);
  absl::StatusOr<GuestBuilder> builder =
      GuestBuilder::Create(*recipe, absl::StrCat(options.work, "/", preset));
  RequireOk(builder);
  return *std::move(builder);
}

void LockWork(const std::string& folder) {
  RequireOk(MakeFolder(folder));
  std::string error;
  if (!LockFolder(folder, &error)) throw SetupError(error);
}

size_t WidthOfIds(const std::vector<Mutant>& mutants) {
  size_t width = 0;
  for (const Mutant& mutant : mutants) width = std::max(width, mutant.id.size());
  return width;
}

int AttackMutants(const MutantsOptions& options, std::vector<Mutant> mutants) {
  const GuestBuilders builders = MakeBuilders(options);
  // Without names everything is meant, and that it is clean to begin with as well.
  if (options.ids.empty()) {
    for (const FuzzTarget& target : FuzzTargets()) {
      if (!options.family.empty() && FindFamily(options.family) != target.family) continue;
      if (!target.is_canary) mutants.push_back(Unmutated(target.family));
    }
  }
  const size_t width = WidthOfIds(mutants);
  const std::vector<MutantResult> results = AttackAll(
      mutants, options.jobs, options.work,
      [&](const Mutant& mutant) { return AttackOne(options, builders, mutant); },
      [&](const MutantResult& result) {
        fputs(TableLine(result, width).c_str(), stdout);
        fflush(stdout);
      });
  return Report(options, results);
}

}  // namespace cancelsafe
