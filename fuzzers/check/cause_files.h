// Causes as files of a report and as annotations: JUnit, Markdown, one HTML page, and GitHub's
// lines. What a block on the terminal says is in cause_report.h; nothing here judges.
#ifndef CANCELSAFE_FUZZERS_CHECK_CAUSE_FILES_H_
#define CANCELSAFE_FUZZERS_CHECK_CAUSE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fuzzers/check/cause_report.h"

namespace cancelsafe {

// All that a run of check has to say.
struct CauseList {
  std::vector<ReportedCause> causes;  // worst first
  std::vector<std::string> gone;      // identities of the baseline that were not found
  bool has_baseline = false;
  bool whole = true;    // false if a part of the check ended early, or was not begun
  std::string summary;  // the closing line: how many, and what was run
};

// A test case for each cause that failed; known ones are skipped, gone ones fail, and without
// any there is one that passed.
std::string CausesJUnit(const CauseList& list);
// For pull requests: a table, and a fold for each cause that is not known.
std::string CausesMarkdown(const CauseList& list);
// One page without scripts.
std::string CausesHtml(const CauseList& list);

// Workflow commands of GitHub, one line for each cause that is not known: it is shown beside
// its source line. Paths below `root` ("" for none) become relative to it, as GitHub wants.
std::string CausesAnnotations(const CauseList& list, absl::string_view root);

// Writes causes.json, causes.sarif, causes.xml (JUnit), causes.md and causes.html.
absl::Status WriteCauseFiles(const CauseList& list, const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CAUSE_FILES_H_
