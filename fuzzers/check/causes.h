// Findings become causes: what goes back to one mistake stands together, led by the finding
// that says most. Pure functions of values.
#ifndef CANCELSAFE_FUZZERS_CHECK_CAUSES_H_
#define CANCELSAFE_FUZZERS_CHECK_CAUSES_H_

#include <string>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/place_lines.h"

namespace cancelsafe {

// What the lines of a cause are.
enum class LinesAre {
  kSeen,         // where the implementation was when the rule was broken
  kSuspect,      // where it departs from the reference implementation
  kMissingNear,  // likewise, and what is wrong is that something is not done there
  kNear          // what statistics suspect: the mistake is near, at best
};

struct Cause {
  CheckFinding shown;                   // the one that explains it best
  std::vector<CheckFinding> others;     // of the same cause, best first
  std::vector<std::string> cases;       // of the conformance suite, that fail with it
  Severity severity = Severity::kNone;  // the worst of all
  // Where the mistake is likely to be, best first; may be empty.
  std::vector<SourceLine> lines;
  LinesAre lines_are = LinesAre::kNear;

  // Stays the same from run to run: rule or clause, and function. For baselines.
  std::string Identity() const;
};

// The causes of these findings, worst first. The same for any order of them. `places` has the
// lines that their spectra speak of.
std::vector<Cause> GroupByCause(std::vector<CheckFinding> findings, const PlaceLines& places = {});

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CAUSES_H_
