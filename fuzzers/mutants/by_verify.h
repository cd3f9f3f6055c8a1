// Attacks mutants with complete searches instead of fuzz targets: the smallest scope of
// programs (fuzzers/worlds) that holds one which shows the mistake. The answer does not
// depend on luck, on seeds or on the machine.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_BY_VERIFY_H_
#define CANCELSAFE_FUZZERS_MUTANTS_BY_VERIFY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/mutants/mutant.h"

namespace cancelsafe {

// A scope as `cancelsafe verify` takes it, apart from the family, and a model of memory.
struct ScopeToTry {
  int fibers = 2;
  int calls = 1;
  int items = 2;
  int settings = 1;
  std::string memory = "sc";
  std::string operations;  // words joined by '+'; "" for all

  // Operations are those of one family: no other one has the scope.
  bool IsOf(Family family) const;
  std::string Name() const;  // "2x1", "2x1 rc11", "2x2 settings=0", "1x4 items=3"
};

// Reads "1x1,2x1:rc11,2x2:settings=0:items=3:operations=insert+cancel". Errors say which part is
// wrong, and what is allowed.
absl::StatusOr<std::vector<ScopeToTry>> ParseScopes(absl::string_view text);

struct VerifiedMutant {
  Mutant mutant;
  int scope = -1;          // index of the first one that kills it, -1: none does
  bool bounded = false;    // some search before that one, or all, was not complete
  long long program = -1;  // number of the smallest program that shows it
  VerdictKind kind = VerdictKind::kPass;
  std::string rule;
  double seconds = 0;     // of all searches
  std::string complaint;  // it could not be built or searched, or ends in a wrong verdict
};

// Searches those of the scopes that its family has, in their order, up to the first violation. A
// verdict of a kind that the mutant does not expect is a complaint, not a kill. `program` is the
// cancelsafe of the model build, `guest` the mutant in that flavour, `work` a folder.
VerifiedMutant VerifyMutant(const Mutant& mutant, const std::vector<ScopeToTry>& scopes, int jobs,
                            const std::string& program, const std::string& guest,
                            const std::string& work);

// One line for a terminal.
std::string VerifiedLine(const VerifiedMutant& verified, const std::vector<ScopeToTry>& scopes,
                         size_t width);
// "31 of 40 mutants killed: 5 by 1x1, 20 by 2x1, 6 by 2x2".
std::string VerifiedSummary(const std::vector<VerifiedMutant>& all,
                            const std::vector<ScopeToTry>& scopes);
// The table as it is in the documentation; `command` makes it again.
std::string VerifiedMarkdown(const std::vector<VerifiedMutant>& all,
                             const std::vector<ScopeToTry>& scopes, const std::string& command);
// A script for gnuplot that draws, into the SVG `output`, how many mutants the scopes up to each
// kill.
std::string VerifiedPlot(const std::vector<VerifiedMutant>& all,
                         const std::vector<ScopeToTry>& scopes, const std::string& output);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_BY_VERIFY_H_
