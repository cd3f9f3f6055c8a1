// replay_file.h for a program for a driver: what differs from a queue's is that it names the
// driver it is for.
#ifndef CANCELSAFE_FUZZERS_TOOLS_DRIVER_REPLAY_H_
#define CANCELSAFE_FUZZERS_TOOLS_DRIVER_REPLAY_H_

#include <string>

#include "fuzzers/tools/replay_file.h"

namespace cancelsafe {

// Whether the file can be read and holds a program for a driver.
bool IsDriverProgramFile(const std::string& path);

// As ReplayFile.
int ReplayDriverFile(const ReplayOptions& options, const std::string& path, GuestHost* host,
                     const RepetitionsMade* repeated);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_DRIVER_REPLAY_H_
