// Causes as people and machines read them: blocks of text for a terminal, JSON, SARIF 2.1.
// Pure functions of values; saves nothing.
#ifndef CANCELSAFE_FUZZERS_CHECK_CAUSE_REPORT_H_
#define CANCELSAFE_FUZZERS_CHECK_CAUSE_REPORT_H_

#include <string>
#include <vector>

#include "fuzzers/check/causes.h"

namespace cancelsafe {

// What goes with a cause in a report.
struct ReportedCause {
  Cause cause;
  std::string saved;   // path of the shortest program, or ""
  std::string replay;  // command that works from any directory, or ""
  bool known = false;  // the baseline has it
};

// Where a clause's documentation is: a web page, or the name of its source; "" for none.
std::string PageOfClause(const std::string& clause);
// "memory error: CSQ-CXL-03 (use-after-free) in IoCancelIrp".
std::string TitleOf(const Cause& cause);
// How bad it is in SARIF's words: "note", "warning" or "error".
const char* LevelOf(Severity severity);
// One sentence: what had to hold.
std::string SentenceOf(const Cause& cause);

// A thing that is known of a cause, such as its clause: one value, or several of a kind.
struct CauseFact {
  std::string name;
  std::vector<std::string> values;
};

// All of them, in the order in which they are read; no value twice, no fact without one. What
// every form of a report says beside the title, the sentence and the program.
std::vector<CauseFact> FactsOf(const ReportedCause& reported);

// One block. A known cause takes one line.
std::string CauseText(int number, const ReportedCause& reported);

std::string CausesJson(const std::vector<ReportedCause>& causes);
// A SARIF 2.1.0 log with one result for each cause; known ones are marked "unchanged" and
// others "new", if there was a baseline.
std::string CausesSarif(const std::vector<ReportedCause>& causes, bool has_baseline,
                        bool whole = true);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CAUSE_REPORT_H_
