// See suite_run.h.
#include "conformance/hosts/user/suite_run.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_split.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/tap_reader.h"

namespace cancelsafe::conformance {

bool Selected(const std::string& glob, int case_number) {
  if (glob.empty()) return true;
  const suite::Case& c = suite::CaseAt(case_number);
  if (GlobMatch(glob, c.id)) return true;
  for (absl::string_view clause : absl::StrSplit(c.clauses, ' ', absl::SkipEmpty())) {
    if (GlobMatch(glob, std::string(clause))) return true;
  }
  return false;
}

Report RunSuite(const Implementation& implementation, const std::string& name,
                const std::string& glob, const RunOptions& options) {
  Report report;
  report.implementation = name;
  report.host = "user mode";
  report.provided = ProvidedEntryPoints(implementation);
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    std::string error;
    if (!ReadTap(RunIsolated(i + 1, suite::CaseAt(i), implementation, options), &report, &error)) {
      // Only the suite itself writes into that pipe.
      fprintf(stderr, "%s: %s\n", suite::CaseAt(i).id, error.c_str());
      abort();
    }
  }
  return report;
}

}  // namespace cancelsafe::conformance
