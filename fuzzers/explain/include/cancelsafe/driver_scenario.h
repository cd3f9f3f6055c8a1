// A program for a driver with its schedule, for tests written in C++: what
// `cancelsafe replay --test` generates for a driver. The lines are those of a saved finding
// (fuzzers/drivers/README.md); what the driver does is judged by the rules for every driver.
//
// Needs the library cancelsafe_scenario and nothing else; one scenario runs at a time.
#ifndef CANCELSAFE_DRIVER_SCENARIO_H_
#define CANCELSAFE_DRIVER_SCENARIO_H_

#include <string>

namespace cancelsafe {

class DriverScenario {
 public:
  // `driver` is a .sys file; CANCELSAFE_DRIVER, in the environment, names another one.
  explicit DriverScenario(std::string driver);

  // The next line of the program: "read 1 0 out=8".
  void Line(const std::string& line);

  // Runs the program and returns "" if no rule is broken, else a report. What cannot be run at
  // all (no such file, a wrong line) is a report too.
  std::string Run();

 private:
  std::string driver_;
  std::string program_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_DRIVER_SCENARIO_H_
