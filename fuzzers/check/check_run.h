// A check from beginning to end: the variants are built, hunted through, verified and held
// against the conformance suite, and what was found is grouped by cause and reported. The
// command line is check_command.cc's.
#ifndef CANCELSAFE_FUZZERS_CHECK_CHECK_RUN_H_
#define CANCELSAFE_FUZZERS_CHECK_CHECK_RUN_H_

#include <string>
#include <vector>

namespace cancelsafe {

struct CheckRequest {
  std::vector<std::string> files;
  std::vector<std::string> flags;
  std::vector<std::string> ignore;
  std::vector<std::string> sanitizers;  // none: all
  std::string report;
  std::string baseline;
  std::string write_baseline;
  int seconds = 100;
  int runs = 0;  // programs of each round of each part; 0: `seconds` count
  int jobs = 1;
  bool strict = false;
  bool annotations = false;
};

// Prints its progress and the causes. Returns the exit status. Throws a UsageError for files
// that cannot be checked, and a SetupError where something cannot be run at all.
int RunCheck(const CheckRequest& options);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CHECK_RUN_H_
