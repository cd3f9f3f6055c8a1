// The example drivers, broken and repaired; see run_mutants.h.
#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/mutants/driver_mutants.h"
#include "fuzzers/mutants/run_mutants.h"

namespace cancelsafe {
namespace {

// Of --subset ci: one seed each, so that the outcome depends on no clock.
constexpr DriverAttackPlan kCiDriverPlan = {1, 60000, 20, 2000};

void RefuseForDrivers(bool given, const char* flag) {
  if (given) throw UsageError(absl::StrCat(flag, " is not for --family ", kDriverFamily));
}

}  // namespace

// The example drivers, one after the other.
int AttackDrivers(const MutantsOptions& options) {
  RefuseForDrivers(!options.by.empty() && options.by != "fuzz", "--by");
  RefuseForDrivers(!options.sanitizer.empty(), "--sanitizer");
  RefuseForDrivers(options.seconds > 0, "--seconds");
  RefuseForDrivers(options.jobs > 1, "--jobs");
  const absl::StatusOr<std::vector<drivers::DriverExample>> all =
      drivers::LoadExamples(TreePath("fuzzers/drivers/examples"));
  RequireOk(all.status());
  std::vector<std::string> names;
  for (const drivers::DriverExample& example : *all) names.push_back(example.name);
  for (const std::string& id : options.ids) CheckWord("mutant", id, names);
  DriverAttackPlan plan;
  if (options.subset == "ci") plan = kCiDriverPlan;
  if (options.seeds > 0) plan.seeds = options.seeds;
  if (options.runs > 0) plan.runs = options.runs;
  const std::string work = options.work.empty() ? TreePath("build/mutants") : options.work;
  if (!options.list) LockWork(work);
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
    if (example.of_memory || example.of_engine) {
      printf("%-*s  left out: it shows with %s only\n", static_cast<int>(width),
             example.name.c_str(), example.of_memory ? "the memory engine" : "a fuzz engine");
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
  if (!options.json.empty()) RequireOk(WriteFileAtomically(options.json, DriverJson(results)));
  if (!options.markdown.empty()) {
    RequireOk(WriteFileAtomically(options.markdown, DriverMarkdown(results, plan, command)));
  }
  return static_cast<size_t>(well) == results.size() ? kExitOk : kExitViolation;
}

}  // namespace cancelsafe
