// What `cancelsafe drive FILE.sys` does: fuzz a driver and save what is found. Prints
// for people; returns the exit status.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_SESSION_H_
#define CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_SESSION_H_

#include <string>
#include <vector>

#include "fuzzers/drivers/fuzz/drive_fuzz.h"

namespace cancelsafe::drivers {

struct DriveSessionOptions {
  std::string driver;
  std::string implementation;  // of the queue routines; "" for the built-in ones
  std::string profile;         // "": the one beside the driver, if there is one
  int seed = 1;
  int runs = 0;
  int seconds = 0;
  bool keep_going = false;
  std::vector<std::string> ignored;
  std::string memory;  // sc, tso or rc11: of the model build; "": rc11 there
  std::string directory = "drive-findings";
};

// Throws a UsageError or SetupError. With neither runs nor seconds it runs for 60 s.
int DriveFuzzSession(const DriveSessionOptions& options);

// The text of a saved finding: `origin` says what found it, `path` is where it is saved.
std::string FindingText(const DriveFinding& finding, const std::string& driver,
                        const std::string& implementation, const std::string& origin,
                        const std::string& path);
// "mydriver-crash-DRV-MEM-01-1a2b3c4d.txt" of "a/mydriver.sys": another driver or another program
// gives another name, so no finding replaces another.
std::string FindingFileName(const DriveFinding& finding, const std::string& driver);
// "./cancelsafe replay FILE".
std::string DriverReplayCommand(const std::string& implementation, const std::string& path);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_SESSION_H_
