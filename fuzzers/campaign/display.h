// How a campaign looks: one line per running target that is refreshed on a
// terminal, plain lines elsewhere, and the table at the end. Formats and prints;
// decides nothing.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_DISPLAY_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_DISPLAY_H_

#include <cstdio>
#include <string>
#include <vector>

#include "fuzzers/campaign/slot.h"

namespace cancelsafe {

// "csq thread  12 s  345678 runs  28806/s  120 states  87 corpus  0 findings".
std::string ProgressLine(const SlotStatus& status);

// One row per slot and a sum, with headings.
std::string SummaryTable(const std::vector<SlotStatus>& slots);

// What was run and what was not: operations executed and left out, by reason; runs that
// could not be judged; violations that could not be confirmed. One row per slot.
std::string WorkTable(const std::vector<SlotStatus>& slots);

class Display {
 public:
  // `columns` is the width of the terminal, 0 if `out` is none.
  Display(FILE* out, int columns) : out_(out), columns_(columns) {}

  // Shows the state of all slots, if it is time to; `now` in seconds. A slot's
  // end is shown at once, and stays.
  void Update(const std::vector<SlotStatus>& slots, double now);
  // Removes what would be refreshed.
  void Close();
  // Whether Update would print something besides ends.
  bool Due(double now) const { return now >= next_; }

 private:
  void Erase();

  FILE* const out_;
  const int columns_;
  double next_ = 0;  // when to show the running slots again
  int lines_shown_ = 0;
  std::vector<bool> ended_;
};

// Width of the terminal behind `out`, 0 if it is none.
int TerminalColumns(FILE* out);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_DISPLAY_H_
