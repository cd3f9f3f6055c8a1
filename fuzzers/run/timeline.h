// A history as a table: one column per fiber, one row per call, return or
// callback, in the order in which they happened.
#ifndef CANCELSAFE_FUZZERS_RUN_TIMELINE_H_
#define CANCELSAFE_FUZZERS_RUN_TIMELINE_H_

#include <string>

#include "oracle/history.h"

namespace cancelsafe {

// Lines of plain text, each ending with a line feed. Nested calls are indented.
std::string Timeline(const History& history);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_TIMELINE_H_
