// A driver loaded from a file that a person named, with the queue routines it gets, ready to run
// programs. Throws a UsageError that says what is wrong.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_FUZZ_LOADED_DRIVER_H_
#define CANCELSAFE_FUZZERS_DRIVERS_FUZZ_LOADED_DRIVER_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/driver_runner.h"

namespace cancelsafe::drivers {

struct LoadedDriver {
  std::unique_ptr<DriverImage> image;
  std::unique_ptr<Implementation> queues;  // null for the built-in ones
  std::unique_ptr<DriverProfile> profile;  // null if there is none
  std::unique_ptr<DriverRunner> runner;
  std::string remarks;  // what it lacks, in lines; "" for nothing
};

// `implementation` may be "" for the built-in queue routines, `profile` for the one beside the
// driver, if there is one.
LoadedDriver OpenDriver(const std::string& driver, const std::string& implementation,
                        const std::string& profile = "");

// Loads and unloads it once, and throws a SetupError with the reason if no request can be sent to
// it: then nothing that follows would be judged. Returns what was learnt.
DriverFacts RequireRequests(DriverRunner* runner);

// The driver that a saved program is for: `named` if it is not "", else the one of the line
// "# driver FILE.sys", as it stands or in the folder of `program_path`.
std::string DriverOf(const DriverProgramFile& file, const std::string& program_path,
                     const std::string& named);

// The profile that a saved program was found with: the one of the line "# profile FILE", as it
// stands or in the folder of `program_path`; "" without such a line.
std::string ProfileOf(const DriverProgramFile& file, const std::string& program_path);

// Reads a saved program.
DriverProgramFile OpenDriverProgram(const std::string& path);

// Names and clauses of rules, as given to --ignore.
std::set<std::string> IgnoredRules(const std::vector<std::string>& words);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_FUZZ_LOADED_DRIVER_H_
