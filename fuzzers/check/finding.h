// What one of the judges has found: a verdict, the program that shows it, and what is known
// of the code to blame. Plain values with a JSON form, since findings are made in processes
// of their own. Nothing here groups or prints them.
#ifndef CANCELSAFE_FUZZERS_CHECK_FINDING_H_
#define CANCELSAFE_FUZZERS_CHECK_FINDING_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzzers/check/difference.h"
#include "fuzzers/check/spectrum.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// A place in the source of the implementation.
struct SourceLine {
  std::string function;
  std::string file;  // as the compiler was given it, or below the source tree
  int line = 0;      // 0: not known

  bool known() const { return line > 0; }
  std::string Text() const;  // "Function file.c:12", "Function", ""
};

struct CheckFinding {
  // Who found it: "plain", "address", "thread", "model"; "conform" for a conformance case.
  std::string variant;
  std::string family;  // "csq"
  Verdict verdict;     // kind, severity, clause, rule and reason
  // The documented routine that was running, or whose result is wrong; "" if not known.
  std::string routine;
  std::string program;  // text of the shortest program known; "" for a conformance case
  int operations = 0;
  int fibers = 0;
  // Rules and clauses that had to be left out for this to show.
  std::vector<std::string> ignored;
  // Routines without which it does not happen: those that were exchanged, one at a time, for
  // the reference implementation's, and made it go away. Where it took two at once: "A+B".
  std::vector<std::string> vanishes_without;
  // Routines whose mistakes hide it: it shows with these exchanged for the reference
  // implementation's, in this shared object. None if it shows as things are.
  std::vector<std::string> behind;
  std::string shown_in;
  // Of traced code: what goes together with it.
  Spectrum spectrum;
  // Of traced code: where it departs from what it does with that routine exchanged.
  std::vector<Difference> differences;
  // The line to blame, best first. Both accesses for a data race.
  std::vector<SourceLine> lines;
  // Whether `lines` are where the verdict was seen, rather than what statistics suspect.
  bool seen_there = false;
  bool unconfirmed = false;

  // What makes two findings of one variant the same: kind, clause, rule, routine; for a data
  // race its two places.
  std::string Key() const;
};

// The routines named, those of "A+B" apart.
std::set<std::string> RoutinesIn(const std::vector<std::string>& vanishes_without);

// One line of JSON, and back; false for a line that is none.
std::string FindingJson(const CheckFinding& finding);
bool ParseFindingJson(absl::string_view line, CheckFinding* finding);

// "Function path:12" as symbolizers print it.
SourceLine ParseSourceLine(absl::string_view text);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_FINDING_H_
