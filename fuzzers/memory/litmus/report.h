// The work of `cancelsafe litmus`: runs the tests of a file, and prints how they went.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_REPORT_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_REPORT_H_

#include <cstdio>
#include <string>
#include <vector>

#include "fuzzers/memory/litmus/program.h"

namespace cancelsafe::litmus {

// Prints what differs of each test, and a table by model. True if all is as expected.
bool ReportAll(const std::vector<Case>& tests, const std::vector<memory::Model>& models, FILE* out);

// Prints one test: its program, and which outcome each model allows. True likewise.
bool ReportOne(const Case& test, const std::vector<memory::Model>& models, FILE* out);

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_REPORT_H_
