// See modules.h.
#include "fuzzers/memory/modules.h"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace cancelsafe::memory {
namespace {

struct Search {
  bool by_low_half;
  uintptr_t address;
  Module* module;
};

// Those of AddModule. They come first: their places are fixed, and the low half of an address in
// one is not to be taken for one in a module that lies anywhere.
Module foreign[kMaxForeignModules];
int foreign_count = 0;

bool HoldsForeign(Search* search) {
  for (int i = 0; i < foreign_count; ++i) {
    const Module& module = foreign[i];
    if (search->by_low_half) {
      const uint32_t offset =
          static_cast<uint32_t>(search->address) - static_cast<uint32_t>(module.begin);
      if (offset >= module.end - module.begin) continue;
      search->address = module.begin + offset;
      return true;
    }
    if (search->address < module.begin || search->address >= module.end) continue;
    *search->module = module;
    return true;
  }
  return false;
}

// Called for each loaded module; stops at the one that holds the address.
int Holds(dl_phdr_info* info, size_t, void* context) {
  auto* search = static_cast<Search*>(context);
  uintptr_t begin = UINTPTR_MAX;
  uintptr_t end = 0;
  uintptr_t data_begin = UINTPTR_MAX;
  uintptr_t data_end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const uintptr_t from = info->dlpi_addr + header.p_vaddr;
    begin = std::min(begin, from);
    end = std::max(end, from + header.p_memsz);
    if ((header.p_flags & PF_W) == 0) continue;
    data_begin = std::min(data_begin, from);
    data_end = std::max(data_end, from + header.p_memsz);
  }
  if (search->by_low_half) {
    const uint32_t offset = static_cast<uint32_t>(search->address) - static_cast<uint32_t>(begin);
    if (offset >= end - begin) return 0;
    search->address = begin + offset;
    return 1;
  }
  if (search->address < begin || search->address >= end) return 0;
  Module* module = search->module;
  module->begin = begin;
  module->end = end;
  module->load_address = info->dlpi_addr;
  module->data_begin = data_end == 0 ? 0 : data_begin;
  module->data_end = data_end;
  snprintf(module->path, sizeof(module->path), "%s", info->dlpi_name);
  return 1;
}

std::string Symbolize(const Module& module, uintptr_t offset) {
  char own[256] = "";
  const char* path = module.path;
  if (path[0] == '\0') {  // the program itself
    const ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
    own[length > 0 ? length : 0] = '\0';
    path = own;
  }
  char command[768];
  snprintf(command, sizeof(command),
           "s=$(command -v llvm-symbolizer-19 || command -v llvm-symbolizer || "
           "echo /usr/lib/llvm-19/bin/llvm-symbolizer); "
           "\"$s\" %s --demangle --obj='%s' 0x%lx 2>/dev/null",
           module.has_inlines ? "--inlines" : "--no-inlines", path,
           static_cast<unsigned long>(offset));
  FILE* pipe = popen(command, "r");
  if (pipe == nullptr) return "";
  char function[512] = "";
  char place[512] = "";
  // Of routines that were inlined into each other, innermost first, that which no header of the
  // system has, so that the line is one of the driver's.
  bool read = false;
  do {
    read = fgets(function, sizeof(function), pipe) != nullptr &&
           fgets(place, sizeof(place), pipe) != nullptr && function[0] != '\n';
  } while (read && strncmp(place, "/usr/", 5) == 0 && module.has_inlines);
  pclose(pipe);
  if (!read || function[0] == '?') return "";
  function[strcspn(function, "\n")] = '\0';
  place[strcspn(place, "\n")] = '\0';
  std::string_view line = place;
  line = line.substr(0, line.rfind(':'));  // without the column
  for (const std::string_view room : {"/impl/", "/fuzzers/", "/conformance/", "/oracle/"}) {
    const size_t at = line.rfind(room);
    if (at == std::string_view::npos) continue;
    line = line.substr(at + 1);
    break;
  }
  return std::string(function) + " " + std::string(line);
}

}  // namespace

void AddModule(const Module& module) {
  if (foreign_count < kMaxForeignModules) foreign[foreign_count++] = module;
}

void RemoveModule(uintptr_t begin) {
  for (int i = 0; i < foreign_count; ++i) {
    if (foreign[i].begin == begin) foreign[i--] = foreign[--foreign_count];
  }
}

bool FindModule(uintptr_t address, Module* module) {
  Search search = {false, address, module};
  return HoldsForeign(&search) || dl_iterate_phdr(&Holds, &search) != 0;
}

uintptr_t AddressOf(uint32_t site) {
  Search search = {true, site, nullptr};
  const bool found = HoldsForeign(&search) || dl_iterate_phdr(&Holds, &search) != 0;
  return found ? search.address : 0;
}

std::string DescribeSite(uint32_t site) {
  Module module;
  // The site is where the call returns to; the access lies before it.
  const uintptr_t address = AddressOf(site) - 1;
  if (!FindModule(address, &module)) return "unknown code";
  static std::map<std::pair<std::string, uintptr_t>, std::string> known;
  const uintptr_t offset = address - module.load_address;
  std::string& text = known[{module.path, offset}];
  if (text.empty()) text = Symbolize(module, offset);
  if (text.empty()) {
    char plain[320];
    snprintf(plain, sizeof(plain), "0x%lx in %s", static_cast<unsigned long>(offset),
             module.path[0] == '\0' ? "the program" : module.path);
    text = plain;
  }
  return text;
}

}  // namespace cancelsafe::memory
