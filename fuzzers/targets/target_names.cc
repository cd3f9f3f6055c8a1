// See target_names.h.
#include "fuzzers/targets/target_names.h"

#include <algorithm>

#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr std::string_view kEnding = "_fuzzer";

std::string Underscored(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

}  // namespace

const std::vector<FuzzTarget>& FuzzTargets() {
  static const std::vector<FuzzTarget> targets = [] {
    std::vector<FuzzTarget> all;
    for (int i = 0; i < kFamilyCount; ++i) {
      const Family family = FamilyNumber(i);
      all.push_back({TargetNameOf(family), family});
    }
    all.push_back({"canary", Family::kDeviceQueue, true});
    return all;
  }();
  return targets;
}

const FuzzTarget* FindFuzzTarget(std::string_view name) {
  std::string wanted = Underscored(name);
  const size_t stem = wanted.size() - std::min(wanted.size(), kEnding.size());
  if (wanted.substr(stem) == kEnding) wanted.resize(stem);
  for (const FuzzTarget& target : FuzzTargets()) {
    if (wanted == target.name) return &target;
  }
  return nullptr;
}

std::vector<std::string> FuzzTargetNames(bool with_canary) {
  std::vector<std::string> names;
  for (const FuzzTarget& target : FuzzTargets()) {
    if (with_canary || !target.is_canary) names.push_back(target.name);
  }
  return names;
}

std::string TargetNameOf(Family family) { return Underscored(FamilyName(family)); }

std::string TargetFolderOf(Family family) { return TargetNameOf(family).append(kEnding); }

}  // namespace cancelsafe
