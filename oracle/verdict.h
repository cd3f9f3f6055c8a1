// The one failure type of the project: what went wrong, which clause or rule
// says so, what it is about, one line of reason, and the evidence. Fuzzers, replay, suite
// and reports all carry it. Its line of text and the inverse are here, and nothing else
// reads such lines.
#ifndef CANCELSAFE_ORACLE_VERDICT_H_
#define CANCELSAFE_ORACLE_VERDICT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "oracle/rule_table.h"

namespace cancelsafe {

struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  Severity severity = Severity::kNone;
  std::string clause;  // "CSQ-INSERT-13", or "" where only a rule is broken
  std::string rule;    // short name, stable, usable with --ignore: "pending-missing"
  std::string reason;  // one line: expected and seen
  std::vector<std::string> evidence;

  // What it is about: positions in the history of the run, and the item's number; -1 for
  // none.
  int call = -1;
  int event = -1;
  int item = -1;
  // Calls, by position, in the longest order that works; empty where none was searched.
  std::vector<int> order;

  bool ok() const { return kind == VerdictKind::kPass; }
};

// The verdict that a rule is broken for a family, but for its reason. `word` takes the
// place of the rule's name, for what a sanitizer or the system has its own words for.
Verdict MakeVerdict(Rule rule, Family family, absl::string_view word = {});

// "VERDICT kind clause (rule): reason", on one line.
std::string VerdictLine(const Verdict& verdict);

// The inverse, but for what a line does not say. Finds the line within `text`, which may
// have something in front of it ("file.txt: VERDICT ..."). False, with *verdict
// unchanged, if there is none, or if its kind is not one.
bool ParseVerdictLine(absl::string_view text, Verdict* verdict);

// "lost-item CSQ-INV-01", "deadlock (deadlock)": kind, and clause or else rule.
std::string VerdictKey(const Verdict& verdict);

// True for the same finding: kind, clause and rule, and for a data race its two places.
bool SameFinding(const Verdict& a, const Verdict& b);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_VERDICT_H_
