// The fuzz targets by name. The one place that knows that a name may be written with
// dashes or underscores, and with or without "_fuzzer".
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_NAMES_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_NAMES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/operations.h"

namespace cancelsafe {

struct FuzzTarget {
  std::string name;  // "device_queue": its program and its corpus folder are device_queue_fuzzer
  Family family = Family::kCsq;
  // It has a known bug and must fail, so it takes part only when it is named.
  bool is_canary = false;
  // Of the target that fuzzes a driver, which is not one of FuzzTargets(): the driver's path. It
  // has no family.
  std::string driver = {};
  bool is_driver() const { return !driver.empty(); }
  std::string profile = {};  // of the driver; "" for the one beside it
  std::string learnt = {};   // file of what its comparisons look for
  size_t input_max = 1200;   // bytes that an engine makes of an input
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
