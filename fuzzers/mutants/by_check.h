// Attacks the reference implementation with several mistakes in it at once by `check`: its list
// should have one cause for each mistake, with a small program that replays and the line that is
// wrong. Judges the list by taking the mistakes out one by one; knows no engine.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_
#define CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_

#include <string>
#include <vector>

#include "fuzzers/mutants/mixes.h"

namespace cancelsafe {

struct CheckPlan {
  std::string program;             // the front door, or what stands in for it
  std::string tree;                // has impl/reference
  std::vector<std::string> flags;  // of check, beside the report and the sources
  std::string work;                // a folder
  int replays = 20;                // of each printed command, each in a process of its own
};

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
  double seconds = 0;            // of check, by the clock
  double processor_seconds = 0;  // of it and what it started
  std::string complaint;         // check could not be run, or its list not judged

  std::vector<std::string> Missing() const;
  std::vector<std::string> Twice() const;  // a name for each cause too many
  int False() const;                       // causes that are no mistake's work
  int OperationsMost() const;
  int ReplaysLeast() const;
  int ChangedLineFirst() const;
  int ChangedLineNamed() const;
  int WithinThree() const;
  // Each mistake has one cause, nothing else has, no program has more than six operations, every
  // command replays, and the changed line is named for three quarters.
  bool AllIsWell(int replays) const;
};

CheckedMix CheckMix(const Mix& mix, const CheckPlan& plan);

// Gives each cause one of its mistakes, so that as few as possible have none; earlier causes
// keep the first of theirs where that makes no difference.
void AssignMistakes(size_t mistakes, std::vector<JudgedCause>* causes);

// The lines, from 1, that `with` has and `without` has not, between what begins and what ends
// alike; where it only lacks some, those before and behind them.
std::vector<int> ChangedLines(const std::string& with, const std::string& without);
// The function that the line is in, as its definition at the beginning of a line names it.
std::string FunctionAt(const std::string& source, int line);

std::string CheckedLine(const CheckedMix& checked);
std::string CheckedMarkdown(const std::vector<CheckedMix>& all, const std::string& command);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_BY_CHECK_H_
