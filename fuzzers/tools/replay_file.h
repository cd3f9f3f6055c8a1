// Runs one saved program again, says what is wrong with it, if anything, and explains it
// in the forms that were asked for. Knows one file; which process it runs in is the
// business of the command.
#ifndef CANCELSAFE_FUZZERS_TOOLS_REPLAY_FILE_H_
#define CANCELSAFE_FUZZERS_TOOLS_REPLAY_FILE_H_

#include <string>
#include <vector>

#include "base/guest_host.h"
#include "fuzzers/tools/guest.h"
#include "fuzzers/tools/repeated_end.h"

namespace cancelsafe {

struct ReplayOptions {
  std::vector<std::string> files;
  GuestFlags guest;
  std::string target;
  std::string driver;  // of a program for a driver; "" for the one that the file names
  int repeat = 1;
  int file_seconds = 5;  // after these a run counts as one that never ends
  bool digest = false;
  bool quiet = false;
  int until = -1;        // stop before this step
  std::string minimize;  // files to be written; "" for none
  std::string test;
  std::string html;
  std::string trace;
  std::string date;  // for the header of a minimised file

  bool writes_files() const {
    return !minimize.empty() || !test.empty() || !html.empty() || !trace.empty();
  }
  // The flags that repeat the run in this build, each with a leading space.
  std::string RepeatFlags() const;
};

// Today as 2024-05-31, in universal time.
std::string Today();

// Returns the exit status. Throws UsageError and SetupError. `host`, which may be null, is
// told of each run in this process, and `repeated`, which may be null, when all repetitions
// were made in it.
int ReplayFile(const ReplayOptions& options, const Implementation& implementation,
               const std::string& path, GuestHost* host, const RepetitionsMade* repeated);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_REPLAY_FILE_H_
