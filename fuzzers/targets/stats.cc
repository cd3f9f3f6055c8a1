// See stats.h.
#include "fuzzers/targets/stats.h"

namespace cancelsafe {

TargetStats* MapStats(const std::string& path, std::string* error) {
  return MapSharedFile<TargetStats>(path, error);
}

}  // namespace cancelsafe
