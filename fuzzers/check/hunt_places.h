// Where in an implementation a finding comes from: the lines of the failing call, how often
// each piece of code runs in programs like it that fail and that pass, and with which
// routines exchanged it is gone. The search for findings is hunt.cc's.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_

#include <string>
#include <utility>
#include <vector>

#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt.h"
#include "fuzzers/check/hunt_board.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/run/runner.h"
#include "impl/implementation.h"

namespace cancelsafe {

// All arguments must outlive it. Uses the last part of the board (site, spectrum,
// exchanges), in children.
class HuntPlaces {
 public:
  HuntPlaces(const HuntPlan& plan, const Implementation& implementation, const Known& known,
             HuntBoard* board);

  // Sets finding->lines and finding->seen_there. `runner`: one under which `program` gives
  // the finding.
  void FindLines(Runner* runner, const Program& program, CheckFinding* finding);

  // Sets finding->spectrum. What other rules are broken in many programs, as `ignored` says,
  // is left out: it would say nothing of where this failure comes from, and leave no program
  // that passes.
  void TakeSpectrum(const std::vector<std::string>& ignored, const Program& program,
                    CheckFinding* finding) const;

  // Sets finding->vanishes_without: runs the program with each routine exchanged.
  void TakeExchanges(const Program& program, CheckFinding* finding);

 private:
  void LoadExchanges();
  bool IsGone(Runner* runner, const Program& program, const std::string& key) const;

  const HuntPlan& plan_;
  const Implementation& implementation_;
  const Known& known_;
  HuntBoard* const board_;
  std::vector<std::pair<std::string, Implementation>> exchanges_;
  bool exchanges_loaded_ = false;
  memory::Module module_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_
