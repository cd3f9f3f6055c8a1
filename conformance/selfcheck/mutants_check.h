// The suite against the known bugs that measure the fuzz targets: the patches of
// fuzzers/mutants, so that there is one collection of wrong implementations of our own
// queues. What needs more than one thread the suite cannot see, and need not.
#ifndef CANCELSAFE_CONFORMANCE_SELFCHECK_MUTANTS_CHECK_H_
#define CANCELSAFE_CONFORMANCE_SELFCHECK_MUTANTS_CHECK_H_

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/mutants/guest.h"
#include "fuzzers/mutants/mutant.h"

namespace cancelsafe::conformance {

struct MutantNotice {
  std::string id;
  std::string bug_class;
  bool concurrent = false;
  std::string complaint;             // it could not be built or loaded; "" if it could
  std::vector<std::string> cases;    // that failed, in the order of the catalogue
  std::vector<std::string> clauses;  // of the first of them

  bool noticed() const { return !cases.empty(); }
};

// Builds each mutant with `builder` and runs the cases of its family on it; some seconds
// each.
// `done` sees each result at once.
std::vector<MutantNotice> RunSuiteOnMutants(const std::vector<Mutant>& mutants,
                                            const GuestBuilder& builder,
                                            const std::function<void(const MutantNotice&)>& done);

// "csq-pending-mark-missing  noticed  csq.insert.live-order  CSQ-INSERT-05"; one line.
std::string MutantLine(const MutantNotice& notice);
// "97 of 148 mutants noticed, 95 of 107 sequential ones": the closing line.
std::string MutantsClosingLine(const std::vector<MutantNotice>& notices);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_MUTANTS_CHECK_H_
