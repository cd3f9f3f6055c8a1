// What searches through schedules have in common: what they did not judge, and how they
// hand over what they found.
#ifndef CANCELSAFE_FUZZERS_TOOLS_FOUND_H_
#define CANCELSAFE_FUZZERS_TOOLS_FOUND_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "command/guest_flags.h"
#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// What was not checked in many runs: operations that were left out, and runs that could
// not be judged. Plain numbers, so that several can be added up.
struct LeftOut {
  int64_t skipped[kSkipCount] = {};  // by Skip; [0] is not used
  int64_t unknown = 0;               // runs

  // Takes in what the last run left out.
  void Note(const RunOutput& output);
  void Add(const LeftOut& other);
  // What follows "no violation": ", 3 operations skipped (3: the item is in use)".
  std::string Text() const;
};

// Whether the run could not be judged within the budget, which is not a violation.
inline bool IsUnknown(const RunOutput& output) {
  return output.verdict.kind == VerdictKind::kUnknown;
}

// Prints the report of the runner's last run, which was one of `program` and ended with
// `verdict`; saves it in `directory`, and prints the command that replays it. `origin`
// says what found it, for the header of the file. `folder` is what a relative `directory`
// lies in: a guest may have changed the working directory. Throws a SetupError if it cannot be
// saved.
void ReportFound(const Runner& runner, const Program& program, const Verdict& verdict,
                 const GuestFlags& guest, const std::filesystem::path& folder,
                 const std::string& directory, const std::string& origin);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_FOUND_H_
