// How searches of a driver hand over what they found: the report for people, and the saved file.
#ifndef CANCELSAFE_FUZZERS_TOOLS_DRIVER_FOUND_H_
#define CANCELSAFE_FUZZERS_TOOLS_DRIVER_FOUND_H_

#include <string>

#include "fuzzers/drivers/fuzz/loaded_driver.h"

namespace cancelsafe {

struct DriverFound {
  drivers::DriverProgram program;  // its schedule is choices alone
  Verdict verdict;
  std::string driver;          // as the user named it
  std::string implementation;  // of the queue routines; "" for the built-in ones
  std::string origin;          // "by cancelsafe explore, with ..."
  std::string directory;
};

// Prints what happens and the command that replays it, and saves it. Throws a SetupError if it
// cannot be saved.
void ReportDriverFound(const DriverFound& found, const drivers::LoadedDriver& loaded);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_DRIVER_FOUND_H_
