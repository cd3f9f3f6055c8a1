// --until: runs a program up to a step and stops there, for a debugger.
#ifndef CANCELSAFE_FUZZERS_TOOLS_STOP_AT_H_
#define CANCELSAFE_FUZZERS_TOOLS_STOP_AT_H_

#include <string>

#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Whether a debugger is attached to this process.
bool BeingDebugged();

// Runs the program (choices only) until `step` is to be decided. Under a debugger
// it raises SIGTRAP there, on the fiber that got there, and goes on to the end when
// it is continued; else the run ends there. Returns what to tell the user.
std::string RunUntil(Runner* runner, const Program& program, int step);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_STOP_AT_H_
