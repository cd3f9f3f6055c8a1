// The complete search of the smallest worlds as a part of a check: for families in which
// nothing else was found.
#ifndef CANCELSAFE_FUZZERS_CHECK_VERIFY_PART_H_
#define CANCELSAFE_FUZZERS_CHECK_VERIFY_PART_H_

#include <string>
#include <vector>

#include "fuzzers/check/finding.h"

namespace cancelsafe {

struct VerifyOutcome {
  std::string line;                    // what verify says in the end
  std::vector<CheckFinding> findings;  // at most one, of a smallest world
  bool complete = false;               // it came to its end, with or without a finding
  bool failed = false;                 // it could not do its work: `line` says nothing of the queue
};

// Runs `program verify` in its usual scope on one family, for at most `seconds`. What it
// saves goes to `folder`; `flags` are more of its flags.
VerifyOutcome RunVerify(const std::string& program, const std::string& implementation,
                        const std::string& family, int seconds, const std::string& folder,
                        const std::vector<std::string>& flags);

// What the output and the exit status of verify mean; `program` is the text of the file that
// it has saved.
VerifyOutcome ReadVerify(const std::string& output, int status, const std::string& family,
                         const std::string& program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_VERIFY_PART_H_
