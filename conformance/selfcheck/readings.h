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

// Those of minifilter queues, which Readings() includes.
std::vector<Reading> FilterQueueReadings();

// For lists of readings: an ambiguity that leaves an implementation nothing to choose, a
// reading with an implementation that follows it, and one that a variant of the breakable
// implementation follows.
Reading Nothing(const char* ambiguity, const char* why);
Reading Guest(const char* ambiguity, const char* what, Implementation (*implementation)(),
              const char* cases, bool accepted = true);
Reading Variant(const char* ambiguity, const char* what, Defect variant, const char* cases,
                bool accepted = true);
inline constexpr bool kRefused = false;

// What an insert makes of the caller's context; nothing for null.
void FillContext(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_READINGS_H_
