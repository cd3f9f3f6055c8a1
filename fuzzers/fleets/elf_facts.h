// What can be read off a program file without running it. Knows ELF for x86-64 and
// nothing of fuzzing.
#ifndef CANCELSAFE_FUZZERS_FLEETS_ELF_FACTS_H_
#define CANCELSAFE_FUZZERS_FLEETS_ELF_FACTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe {

struct ElfFacts {
  std::vector<std::string> needed;  // names of shared libraries, as linked
  bool has_run_path = false;        // RPATH or RUNPATH
  bool has_coverage_map = false;    // __llvm_covmap: source coverage
  int asan_calls = 0;               // call instructions to __asan_*
  int ubsan_calls = 0;              // call instructions to __ubsan_*
};

// The error says what the file is not: readable, or a program for x86-64.
// O(size of the file).
absl::StatusOr<ElfFacts> ReadElf(const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_FLEETS_ELF_FACTS_H_
