#include "fuzzers/schedule/interleaving_coverage.h"

#include <dlfcn.h>

namespace cancelsafe::schedule {

void InterleavingCoverage::Look(uintptr_t site, Entry* entry) {
  Dl_info info;
  const bool known = dladdr(reinterpret_cast<void*>(site), &info) != 0;
  entry->site = site;
  entry->offset = known ? site - reinterpret_cast<uintptr_t>(info.dli_fbase) : site;
}

}  // namespace cancelsafe::schedule
