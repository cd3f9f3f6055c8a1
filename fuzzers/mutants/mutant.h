// A mutant: a small patch of the optimized implementation, with a header that
// says which known mistake it makes and how the harness has to call it. Reading
// and choosing mutants only; nothing is built or run here.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_MUTANT_H_
#define CANCELSAFE_FUZZERS_MUTANTS_MUTANT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "oracle/operations.h"
#include "oracle/verdict.h"

namespace cancelsafe {

struct Mutant {
  std::string id;    // also the name of the patch, without ".patch"
  std::string path;  // of the patch; "" for the implementation as it is
  Family family = Family::kCsq;
  std::string bug_class;            // "lost cancel"
  std::string story;                // what went wrong in the real world, or which clause it breaks
  std::vector<VerdictKind> expect;  // the kinds of verdict that are right
  std::string clause;               // "" if none is named
  bool concurrent = false;          // the author's guess that one fiber does not show it
  bool fences = false;              // orders by fences: TSan, which knows none, reports false races
  std::vector<std::string> files;   // that the patch changes, relative to the root of the tree

  bool expects(VerdictKind kind) const;
};

// Reads header and file names of a patch. Errors are one line without the path.
absl::StatusOr<Mutant> ParseMutant(absl::string_view id, absl::string_view text);

// All mutants of a folder by ascending id. Errors name the file.
absl::StatusOr<std::vector<Mutant>> LoadMutants(const std::string& folder);

// For continuous integration: the first mutant of every bug class.
std::vector<Mutant> FirstOfEachClass(const std::vector<Mutant>& mutants);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_MUTANT_H_
