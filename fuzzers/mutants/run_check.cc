// Mixes of mistakes found by check; see run_mutants.h.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/mutants/by_check.h"
#include "fuzzers/mutants/run_mutants.h"

namespace cancelsafe {

int CheckMixes(const MutantsOptions& options) {
  const absl::StatusOr<std::vector<Mix>> mixes = LoadMixes(TreeRoot());
  RequireOk(mixes);
  std::vector<std::string> names;
  for (const Mix& mix : *mixes) names.push_back(mix.name);
  for (const std::string& id : options.ids) CheckWord("mix", id, names);
  CheckPlan plan;
  plan.tree = TreeRoot();
  plan.program = TreeRoot() + "/cancelsafe";
  // Printed commands are run from another folder.
  plan.work =
      std::filesystem::absolute(options.work.empty() ? TreePath("build/mutants") : options.work)
          .string();
  if (options.seconds > 0) plan.flags.push_back(absl::StrCat("--seconds=", options.seconds));
  if (options.runs > 0) plan.flags.push_back(absl::StrCat("--runs=", options.runs));
  if (options.jobs > 0) plan.flags.push_back(absl::StrCat("--jobs=", options.jobs));
  if (!options.sanitizer.empty()) plan.flags.push_back("--sanitizer=" + options.sanitizer);
  if (!options.list) LockWork(plan.work);
  std::vector<CheckedMix> all;
  bool well = true;
  for (const Mix& mix : *mixes) {
    if (!options.ids.empty() &&
        std::find(options.ids.begin(), options.ids.end(), mix.name) == options.ids.end()) {
      continue;
    }
    if (options.list) {
      printf("%s:", mix.name.c_str());
      for (const Mistake& mistake : mix.mistakes) printf(" %s", mistake.id.c_str());
      printf("\n");
      continue;
    }
    all.push_back(CheckMix(mix, plan));
    well &= all.back().AllIsWell(plan.replays);
    fputs(CheckedLine(all.back()).c_str(), stdout);
    fflush(stdout);
  }
  if (!options.markdown.empty()) {
    std::string command = "./cancelsafe mutants --by check";
    for (const std::string& flag : plan.flags) absl::StrAppend(&command, " ", flag);
    if (!options.ids.empty()) absl::StrAppend(&command, " ", absl::StrJoin(options.ids, " "));
    RequireOk(WriteFileAtomically(options.markdown, CheckedMarkdown(all, command)));
  }
  return well ? kExitOk : kExitViolation;
}

}  // namespace cancelsafe
