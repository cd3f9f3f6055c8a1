// The command line of cancelsafe-replay.
#ifndef CANCELSAFE_FUZZERS_TOOLS_REPLAY_OPTIONS_H_
#define CANCELSAFE_FUZZERS_TOOLS_REPLAY_OPTIONS_H_

#include <string>

#include "fuzzers/tools/tool_flags.h"

namespace cancelsafe {

struct ReplayOptions {
  long repeat = 1;
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
};

// Exits with 2 if something is wrong with the command line, and after --help.
ReplayOptions ReadReplayOptions(ToolFlags* flags);

// Today as 2024-05-31, in universal time.
std::string Today();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_REPLAY_OPTIONS_H_
