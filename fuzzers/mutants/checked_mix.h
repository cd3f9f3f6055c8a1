// What came of holding a list of causes against the mistakes of a mix: which cause is whose, what
// is missing, and the forms in which that is shown. Pure functions of values; by_check.h makes
// them.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_CHECKED_MIX_H_
#define CANCELSAFE_FUZZERS_MUTANTS_CHECKED_MIX_H_

#include <string>
#include <vector>

#include "fuzzers/mutants/mixes.h"

namespace cancelsafe {

// A cause that check has listed.
struct JudgedCause {
  std::string title;
  // The mistakes whose work it can be: without one of them its command shows something else; or,
  // where others hide it or would do the same, with one of them alone it shows the same.
  std::vector<size_t> mistakes;
  int mistake = -1;  // of those, the one that it is counted for; -1 if that has another cause
  int operations = 0;
  int replays = 0;            // that showed what the list says
  int changed_line = 0;       // the first changed line among the three named: 1 to 3; 0: none
  bool within_three = false;  // one of the three lies within three lines of a changed one
};

struct CheckedMix {
  Mix mix;
  std::vector<JudgedCause> causes;
  double seconds = 0;     // of check, by the clock
  std::string complaint;  // check could not be run, or its list not judged

  std::vector<std::string> Missing() const;
  std::vector<std::string> Twice() const;  // a name for each cause too many
  int False() const;                       // causes that no mistake explains
  int OperationsMost() const;
  int ReplaysLeast() const;
  int ChangedLineFirst() const;
  int ChangedLineNamed() const;
  int WithinThree() const;
  // Each mistake has one cause, nothing else has, no program has more than six operations, every
  // command replays, and the changed line is named for three quarters.
  bool AllIsWell(int replays) const;
};

// Gives each cause one of its mistakes, so that as few as possible have none; earlier causes
// keep the first of theirs where that makes no difference.
void AssignMistakes(size_t mistakes, std::vector<JudgedCause>* causes);

// The lines of `with`, from 1, between what begins and what ends alike, without empty ones; where
// it only lacks some, those before and behind them.
std::vector<int> ChangedLines(const std::string& with, const std::string& without);
// The function that the line is in, as its definition at the beginning of a line names it.
std::string FunctionAt(const std::string& source, int line);

std::string CheckedLine(const CheckedMix& checked);
std::string CheckedMarkdown(const std::vector<CheckedMix>& all, const std::string& command);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_CHECKED_MIX_H_
