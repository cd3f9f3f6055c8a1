// cancelsafe-mutants: measures the harness by the known bugs that it catches.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "fuzzers/mutants/attack.h"
#include "fuzzers/mutants/guest.h"
#include "fuzzers/mutants/options.h"
#include "fuzzers/mutants/table.h"
#include "fuzzers/mutants/workers.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {
namespace {

constexpr int kNotCaught = 1;
constexpr int kUsage = 2;
constexpr int kSetup = 3;

constexpr const char* kFlavours[kSanitizerCount] = {"tsan", "asan"};  // by Sanitizer
constexpr Family kFamilies[] = {Family::kCsq, Family::kCallbackDataQueue, Family::kDeviceQueue,
                                Family::kStartIo};

int Complain(int code, const absl::Status& status) {
  fprintf(stderr, "cancelsafe-mutants: %s\n", std::string(status.message()).c_str());
  return code;
}

std::string FlavourPath(const MutantsOptions& options, int flavour, const std::string& path) {
  return absl::StrCat(options.build, "/", kFlavours[flavour], "/fuzzers/", path);
}

// The implementation as it is, attacked through a family's target.
Mutant Unmutated(Family family) {
  Mutant mutant;
  mutant.id = absl::StrCat("unmutated-", FamilyName(family));
  mutant.family = family;
  return mutant;
}

absl::StatusOr<std::vector<Mutant>> Choose(const MutantsOptions& options,
                                           std::vector<Mutant> mutants) {
  if (options.ci_subset) mutants = FirstOfEachClass(mutants);
  if (options.ids.empty()) return mutants;
  std::vector<Mutant> chosen;
  for (const std::string& id : options.ids) {
    const auto found = std::find_if(mutants.begin(), mutants.end(),
                                    [&](const Mutant& mutant) { return mutant.id == id; });
    if (found == mutants.end()) {
      return absl::InvalidArgumentError(absl::StrCat("no mutant '", id, "'; --list shows them"));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

MutantResult AttackOne(const MutantsOptions& options, const std::vector<GuestBuilder>& builders,
                       const Mutant& mutant) {
  MutantResult result;
  result.mutant = mutant;
  const std::string target =
      absl::StrCat(absl::StrReplaceAll(FamilyName(mutant.family), {{"-", "_"}}), "_fuzzer");
  AttackSide sides[kSanitizerCount];
  for (int i = 0; i < kSanitizerCount; ++i) {
    sides[i].fuzzer = FlavourPath(options, i, absl::StrCat("targets/", target));
    sides[i].replay = FlavourPath(options, i, "tools/cancelsafe-replay");
    const absl::StatusOr<std::string> guest = builders[i].Build(mutant);
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
  std::string command = absl::StrCat("./cancelsafe mutants --seeds ", options.plan.seeds,
                                     " --seconds ", options.plan.seconds);
  if (!options.ids.empty()) absl::StrAppend(&command, " ", absl::StrJoin(options.ids, " "));
  if (!options.markdown.empty()) absl::StrAppend(&command, " --markdown ", options.markdown);
  return command;
}

bool AllIsWell(const std::vector<MutantResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const MutantResult& result) {
    const MutantSummary summary = Summarize(result);
    if (!result.complaint.empty()) return false;
    if (result.mutant.path.empty()) return summary.wrong_seeds == 0;
    return summary.caught && summary.wrong_seeds == 0 && summary.replays_always();
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
    const absl::Status status = WriteFileAtomically(path, contents);
    if (!status.ok()) return Complain(kSetup, status);
  }
  return AllIsWell(results) ? 0 : kNotCaught;
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<MutantsOptions> options = ParseMutantsOptions(arguments);
  if (!options.ok()) return Complain(kUsage, options.status());
  if (options->help) {
    fputs(kMutantsHelp, stdout);
    return 0;
  }
  absl::StatusOr<std::vector<Mutant>> all = LoadMutants(options->patches);
  if (!all.ok()) return Complain(kSetup, all.status());
  absl::StatusOr<std::vector<Mutant>> mutants = Choose(*options, *std::move(all));
  if (!mutants.ok()) return Complain(kUsage, mutants.status());
  if (options->list) return PrintList(*mutants);

  std::error_code created;
  std::filesystem::create_directories(options->work, created);
  std::string error;
  if (!LockFolder(options->work, &error)) return Complain(kSetup, absl::UnavailableError(error));
  std::vector<GuestBuilder> builders;
  for (int i = 0; i < kSanitizerCount; ++i) {
    const absl::StatusOr<GuestRecipe> recipe =
        ReadGuestRecipe(FlavourPath(*options, i, "mutants/guest.txt"));
    if (!recipe.ok()) return Complain(kSetup, recipe.status());
    absl::StatusOr<GuestBuilder> builder =
        GuestBuilder::Create(*recipe, absl::StrCat(options->work, "/", kFlavours[i]));
    if (!builder.ok()) return Complain(kSetup, builder.status());
    builders.push_back(*std::move(builder));
  }
  // Without names everything is meant, and that it is clean to begin with as well.
  if (options->ids.empty()) {
    for (const Family family : kFamilies) mutants->push_back(Unmutated(family));
  }
  size_t width = 0;
  for (const Mutant& mutant : *mutants) width = std::max(width, mutant.id.size());
  const std::vector<MutantResult> results = AttackAll(
      *mutants, options->jobs, options->work,
      [&](const Mutant& mutant) { return AttackOne(*options, builders, mutant); },
      [&](const MutantResult& result) {
        fputs(TableLine(result, width).c_str(), stdout);
        fflush(stdout);
      });
  return Report(*options, results);
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) {
  return cancelsafe::Main(std::vector<std::string>(argv + 1, argv + argc));
}
