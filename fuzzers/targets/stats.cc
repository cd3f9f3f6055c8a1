// See stats.h.
#include "fuzzers/targets/stats.h"

#include "base/shared_file.h"

namespace cancelsafe {

TargetStats* MapStats(const std::string& path, std::string* error) {
  // The file's zeros are the initial value of every member.
  return static_cast<TargetStats*>(MapSharedFile(path, sizeof(TargetStats), error));
}

}  // namespace cancelsafe
