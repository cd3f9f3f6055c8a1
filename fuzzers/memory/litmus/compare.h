// What a model gave for a litmus test, beside what its file expects.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPARE_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPARE_H_

#include <string>
#include <vector>

#include "fuzzers/memory/litmus/run.h"

namespace cancelsafe::litmus {

struct Comparison {
  bool as_expected = false;
  // It is rc11_machine of the file that it agrees with, which differs from rc11 there.
  bool as_machine = false;
  std::vector<Outcome> missing;
  std::vector<Outcome> surplus;
  bool race_differs = false;
  bool expected_race = false;
};

// A bounded result is never as expected: it may lack anything.
Comparison Compare(const Case& test, memory::Model model, const Result& result);

// Lines on what differs, each indented by two blanks; "" if nothing does.
std::string Describe(const Comparison& comparison, const Result& result);

// The program of a test, a line for each instruction.
std::string ToString(const Case& test);

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPARE_H_
