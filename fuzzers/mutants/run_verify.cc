// Mutants found by complete searches; see run_mutants.h.
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "fuzzers/mutants/by_verify.h"
#include "fuzzers/mutants/run_mutants.h"

namespace cancelsafe {

namespace {

void Draw(const std::string& script, const std::string& work) {
  const std::string path = absl::StrCat(work, "/scopes.gnuplot");
  RequireOk(WriteFileAtomically(path, script));
  std::string output;
  constexpr int kSecondsMax = 60;
  const absl::StatusOr<ChildEnd> end =
      RunProcess({"gnuplot", path}, kSecondsMax,
                 [&output](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) {
    throw SetupError(absl::StrCat("--plot: ", end.status().message(),
                                  "; gnuplot is in the package gnuplot-nox"));
  }
  if (!end->status.clean()) {
    throw SetupError(absl::StrCat("--plot: gnuplot: ", DescribeExit(end->status), ": ", output));
  }
}

}  // namespace

// Each mutant by the smallest scope that shows it, one mutant after the other.
int VerifyMutants(const MutantsOptions& options, const std::vector<Mutant>& mutants) {
  const absl::StatusOr<std::vector<ScopeToTry>> scopes = ParseScopes(options.scopes);
  if (!scopes.ok()) throw UsageError(absl::StrCat("--scopes: ", scopes.status().message()));
  const GuestBuilder builder = BuildAttackers(options, Sanitizer::kModel, {"cancelsafe"});
  const size_t width = WidthOfIds(mutants);
  std::vector<VerifiedMutant> all;
  bool all_killed = true;
  for (const Mutant& mutant : mutants) {
    VerifiedMutant verified;
    verified.mutant = mutant;
    const absl::StatusOr<std::string> guest = builder.Build(mutant);
    if (guest.ok()) {
      verified = VerifyMutant(mutant, *scopes, options.jobs,
                              PresetPath(Sanitizer::kModel, "cancelsafe"), *guest, options.work);
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
    RequireOk(WriteFileAtomically(options.markdown, VerifiedMarkdown(all, *scopes, command)));
  }
  if (!options.plot.empty()) Draw(VerifiedPlot(all, *scopes, options.plot), options.work);
  return all_killed ? kExitOk : kExitViolation;
}

}  // namespace cancelsafe
