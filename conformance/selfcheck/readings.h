// What the documents leave open: for each ambiguity the readings that they support,
// each with an implementation that follows it, and whether the suite has to accept it.
#ifndef CANCELSAFE_CONFORMANCE_SELFCHECK_READINGS_H_
#define CANCELSAFE_CONFORMANCE_SELFCHECK_READINGS_H_

#include <vector>

#include "conformance/selfcheck/defects.h"
#include "impl/implementation.h"

namespace cancelsafe::conformance {

struct Reading {
  const char* ambiguity;
  // What the implementation does; or, without one, why there is nothing for it to choose.
  const char* what;
  Implementation (*implementation)() = nullptr;
  Defect variant = Defect::kNoDefect;  // of the breakable implementation
  const char* cases = "";              // glob of the cases that can tell
  bool accepted = true;
};

// The built-in implementation: the reading that the project follows itself.
Implementation BuiltInReading();

// By ascending ambiguity.
const std::vector<Reading>& Readings();

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_READINGS_H_
