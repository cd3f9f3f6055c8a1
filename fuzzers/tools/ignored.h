// What --ignore names, checked once for every command: rules, kinds of verdicts, clauses,
// functions and lines. Nothing of runs or programs.
#ifndef CANCELSAFE_FUZZERS_TOOLS_IGNORED_H_
#define CANCELSAFE_FUZZERS_TOOLS_IGNORED_H_

#include <string>
#include <vector>

#include "oracle/check.h"

namespace cancelsafe {

// Throws a UsageError for an entry that names nothing, and for the id of a clause that there
// is not: it would leave out nothing, and say that it did. Without the conformance suite
// there is no list of clauses, and whatever looks like an id is taken for one.
IgnoreSet IgnoreSetOf(const std::vector<std::string>& entries);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_IGNORED_H_
