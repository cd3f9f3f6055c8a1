// Where in an implementation a finding comes from: the lines of the failing call, how often
// each piece of code runs in programs like it that fail and that pass, and with which
// routines exchanged it is gone. The search for findings is hunt.cc's.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_

#include <set>
#include <string>
#include <vector>

#include "fuzzers/check/exchange.h"
#include "fuzzers/check/finding.h"
#include "fuzzers/check/hunt.h"
#include "fuzzers/check/hunt_board.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/run/runner.h"
#include "impl/implementation.h"

namespace cancelsafe {

// All arguments must outlive it. `known`: all that was found so far. Uses the last part of the
// board (site, spectrum, gone), in children.
class HuntPlaces {
 public:
  HuntPlaces(const HuntPlan& plan, const Implementation& implementation, const Known& known,
             HuntBoard* board);

  // Sets finding->lines and finding->seen_there. `runner`: one of this implementation, under
  // which `program` gives the finding.
  void FindLines(Runner* runner, const Implementation& implementation, const Program& program,
                 CheckFinding* finding);

  // Sets finding->vanishes_without, of what fails with the routines of `base` exchanged and the
  // rules of `ignored` left out: runs the program with each other routine exchanged too, and,
  // where none will do alone, with as many of them as it takes.
  void TakeExchanges(const std::set<std::string>& base, const std::vector<std::string>& ignored,
                     const Program& program, CheckFinding* finding);

  // Sets finding->spectrum. Runs the program and others like it with all routines exchanged
  // but those that it vanishes without, if it fails in the same way then; else with those of
  // `guilty` that it does not vanish without; else the implementation as it is, without the
  // other rules of `ignored`: they would say nothing of where this failure comes from, and
  // leave no program that passes.
  void TakeSpectrum(const std::set<std::string>& guilty, const std::vector<std::string>& ignored,
                    const Program& program, CheckFinding* finding);

  // Sets finding->differences: runs the program with all routines exchanged but those that it
  // vanishes without, and with these too.
  void TakeDifference(const std::set<std::string>& guilty, const std::vector<std::string>& ignored,
                      const Program& program, CheckFinding* finding);

  // The implementation with these exchanged; as it is for none, or if they cannot be.
  const Implementation& With(const std::set<std::string>& routines);
  // Its shared object; "" for none.
  std::string PathWith(const std::set<std::string>& routines) {
    const Exchanges::Loaded* const loaded = exchanges_.With(routines);
    return loaded != nullptr ? loaded->path : "";
  }
  // Of these routines, the ones that can be exchanged.
  std::set<std::string> Exchangeable(const std::vector<std::string>& routines) const {
    return exchanges_.Known(routines);
  }

 private:
  bool IsGone(Runner* runner, const Program& program, const std::string& key) const;
  bool IsGoneWith(const std::set<std::string>& routines, const std::vector<std::string>& ignored,
                  const Program& program, const std::string& key);
  std::vector<std::string> TakeTogether(const std::set<std::string>& base,
                                        const std::vector<std::string>& ignored,
                                        const Program& program, const std::string& key);
  std::vector<std::string> RoutinesRun(const std::set<std::string>& base,
                                       const std::vector<std::string>& ignored,
                                       const Program& program);
  bool FailsAlike(Runner* runner, const std::string& key, Program* program);
  bool TakeSpectrumWith(const std::set<std::string>& routines,
                        const std::vector<std::string>& ignored, Program program,
                        CheckFinding* finding);

  bool TakeDifferenceOf(const std::set<std::string>& wrong, const std::set<std::string>& own,
                        const std::vector<std::string>& ignored, Program program,
                        CheckFinding* finding);
  bool AsChoices(Runner* runner, Program* program);

  const HuntPlan& plan_;
  const Implementation& implementation_;
  const Known& known_;
  HuntBoard* const board_;
  Exchanges exchanges_;
  std::set<std::string> hung_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_PLACES_H_
