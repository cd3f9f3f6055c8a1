// The catalogue of clauses, as built into every tool of this room from
// clauses.jsonl.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_CATALOGUE_H_
#define CANCELSAFE_CONFORMANCE_REPORT_CATALOGUE_H_

#include <string>
#include <vector>

namespace cancelsafe::conformance {

struct Clause {
  std::string id;
  std::string routine;
  std::string rule;
  std::string kind;
  std::string source;
  std::string evidence;  // letters: P prose, F figure, H header, S sample, D derived, R third party
  std::vector<std::string> ambiguity;
  std::string check;   // "cases", "caller-contract", "not-observable" or "drivers"
  std::string reason;  // of not-observable
  // Of "drivers", which every run of a driver is judged by (fuzzers/drivers/rules): the rule's
  // name in verdicts, and how bad it is.
  std::string name;
  std::string severity;
};

// In the order of the file. Read once; ends the process if the built-in text is
// malformed, which a test rules out.
const std::vector<Clause>& Catalogue();
// The question behind an ambiguity ("AMB-7"); empty for an unknown one.
std::string AmbiguityQuestion(const std::string& id);
// The ids of all ambiguities, in the order of the file.
std::vector<std::string> AmbiguityIds();
// "prose, figure" for "PF".
std::string EvidenceWords(const std::string& letters);
// Null for an unknown id.
const Clause* FindClause(const std::string& id);
// What a clause means, where it is documented and how it is checked, for people; ends in a newline.
std::string ExplainClause(const Clause& clause);
// True if `text` matches the shell pattern `glob` ('*' and '?').
bool GlobMatch(const std::string& glob, const std::string& text);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_CATALOGUE_H_
