// The readable form of a program for a driver: what findings are saved in and what people edit.
//
//   # Why this file exists.
//   target driver
//   driver-fibers 1
//   fail-allocation 3
//   open 0
//   read 1 0 out=8
//   fiber 0
//     write 2 0 in=4
//     advance 10
//   fiber 1
//     cancel 1
//     ioctl 3 0 code=0x222000 in=8 out=8 data=01000000
//   schedule pct seed=17 parameter=1
//   choices 3:1 9:0
//   memory tso
//   stale-choices 12:flush:1/2
//
// `target driver` comes first. What stands before the first fiber is done before the fibers
// start, one after another. A request has a number of its own, by which `cancel` names it, and
// a file. `data` has the first bytes of an input; the others are a letter. "unreadable" behind a
// code of METHOD_NEITHER: the addresses that the driver gets are those of memory that is not there.
// At the end of a run every file is cleaned up and closed and the driver unloaded: that needs no
// operation.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_TEXT_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/drivers/program/driver_program.h"

namespace cancelsafe::drivers {

struct DriverProgramFile {
  std::vector<std::string> header_comments;  // without "# "
  DriverProgram program;
};

// Whether the first line that is not a comment is "target driver".
bool IsDriverProgramText(absl::string_view text);

// Any bytes give a program or an InvalidArgumentError of one line that begins with "line N: "
// and says what was wrong and what is allowed.
absl::StatusOr<DriverProgramFile> ParseDriverProgram(absl::string_view text);

// Parsing the text gives the program again, and printing that the text.
std::string PrintDriverProgram(const DriverProgramFile& file);
std::string PrintDriverOperation(const DriverOperation& operation);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_TEXT_H_
