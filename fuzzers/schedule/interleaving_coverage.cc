// See interleaving_coverage.h: which module a code address lies in.
#include "fuzzers/schedule/interleaving_coverage.h"

#include <link.h>

#include <algorithm>

namespace cancelsafe::schedule {
namespace {

struct Search {
  uintptr_t site;
  uintptr_t begin;
  uintptr_t end;
};

// Called for each loaded module; stops at the one that holds the site.
int Holds(dl_phdr_info* info, size_t, void* context) {
  auto* search = static_cast<Search*>(context);
  uintptr_t begin = UINTPTR_MAX, end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    begin = std::min<uintptr_t>(begin, info->dlpi_addr + header.p_vaddr);
    end = std::max<uintptr_t>(end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
  }
  if (search->site < begin || search->site >= end) return 0;
  search->begin = begin;
  search->end = end;
  return 1;
}

}  // namespace

uint64_t InterleavingCoverage::FindModule(uintptr_t site) {
  if (site == 0) return 0;  // the fiber has not met a point yet
  Search search = {site, 0, 0};
  if (dl_iterate_phdr(&Holds, &search) == 0 || module_count_ == kMaxModules) return 0;
  modules_[module_count_++] = Module{search.begin, search.end};
  return Place(site);
}

}  // namespace cancelsafe::schedule
