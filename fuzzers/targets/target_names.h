// The fuzz targets by name. The one place that knows that a name may be written with
// dashes or underscores, and with or without "_fuzzer".
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_NAMES_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "oracle/operations.h"

namespace cancelsafe {

struct FuzzTarget {
  std::string name;  // "device_queue": its program and its corpus folder are device_queue_fuzzer
  Family family;
  // It has a known bug and must fail, so it takes part only when it is named.
  bool is_canary = false;
};

// One for every family, and the canary, which is the last.
const std::vector<FuzzTarget>& FuzzTargets();
// Null if there is no such target.
const FuzzTarget* FindFuzzTarget(std::string_view name);
// Of the targets, or of those that stand for a family alone.
std::vector<std::string> FuzzTargetNames(bool with_canary);
// That of a family; "csq" and "csq_fuzzer" for kCsq.
std::string TargetNameOf(Family family);
std::string TargetFolderOf(Family family);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_NAMES_H_
