// Whether a folder of fuzz targets is what ClusterFuzzLite and OSS-Fuzz accept: what
// their bad_build_check looks for, the command lines by which their scripts start a
// target, and whether the files beside a target are of use. Builds nothing.
#ifndef CANCELSAFE_FUZZERS_FLEETS_BUILD_CHECK_H_
#define CANCELSAFE_FUZZERS_FLEETS_BUILD_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/fleets/command_lines.h"

namespace cancelsafe {

struct FuzzBuild {
  std::string engine;     // libfuzzer or afl
  std::string sanitizer;  // address, undefined or coverage
  std::string folder;     // what build.sh puts into $OUT
};

struct TargetCheck {
  std::string target;
  std::vector<std::string> complaints;  // empty: it is good
  int started = 0;                      // command lines that were run
};

// Checks a copy of the folder in another place, read-only, without privileges. One
// result for each target, in order of their names; the error says why nothing could
// be checked.
absl::StatusOr<std::vector<TargetCheck>> CheckFuzzBuild(const FuzzBuild& build,
                                                        const std::vector<CommandLine>& lines);

// How many lines all files together have covered, in what `llvm-cov export` printed; 0 if
// that cannot be read.
int64_t CoveredLines(const std::string& exported);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_FLEETS_BUILD_CHECK_H_
