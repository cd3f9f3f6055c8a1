// See suite_run.h.
#include "conformance/hosts/user/suite_run.h"

#include "absl/strings/str_split.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/printable.h"

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

Report RunSuite(const Subject& subject, const std::string& name, const std::string& glob,
                const RunOptions& options) {
  Report report;
  report.implementation = name;
  report.host = "user mode";
  report.provided = subject.provided;
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    if (!subject.path.empty() && suite::ChecksHostAlone(suite::CaseAt(i))) {
      ++report.left_out;
      continue;
    }
    report.cases.push_back(RunIsolated(i, subject, options));
  }
  MakePrintable(&report);
  return report;
}

Report RunSuite(const Implementation& implementation, const std::string& name,
                const std::string& glob, const RunOptions& options) {
  return RunSuite(Subject::Of(implementation), name, glob, options);
}

}  // namespace cancelsafe::conformance
