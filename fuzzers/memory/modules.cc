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

using Offsets = std::vector<uintptr_t>;

// Without its line feed.
bool ReadLine(FILE* pipe, std::string* line) {
  char text[1024] = "";
  if (fgets(text, sizeof(text), pipe) == nullptr) return false;
  text[strcspn(text, "\n")] = '\0';
  *line = text;
  return true;
}

// "Function file:line" of each offset in the module's file; "" where that is not known.
// For a line that was inlined, the function is the innermost or the outermost one.
std::vector<std::string> Symbolize(const Module& module, const Offsets& offsets, bool innermost) {
  std::vector<std::string> texts(offsets.size());
  char own[256] = "";
  const char* path = module.path;
  if (path[0] == '\0') {  // the program itself
    const ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
    own[length > 0 ? length : 0] = '\0';
    path = own;
  }
  std::string command =
      "s=$(command -v llvm-symbolizer-19 || command -v llvm-symbolizer || "
      "echo /usr/lib/llvm-19/bin/llvm-symbolizer); \"$s\" --demangle";
  command += innermost || module.has_inlines ? "" : " --no-inlines";
  command += std::string(" --obj='") + path + "'";
  for (const uintptr_t offset : offsets) {
    char word[32];
    snprintf(word, sizeof(word), " 0x%lx", static_cast<unsigned long>(offset));
    command += word;
  }
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return texts;
  for (std::string& text : texts) {
    std::string function, place, rest;
    if (!ReadLine(pipe, &function) || !ReadLine(pipe, &place)) break;
    // The functions that it was inlined into follow, up to an empty line. Of routines of the
    // system's headers, that which has them, so that the line is one of the driver's.
    while (ReadLine(pipe, &rest) && !rest.empty()) {
      std::string where;
      if (!ReadLine(pipe, &where)) break;
      if (!module.has_inlines || place.rfind("/usr/", 0) != 0) continue;
      function = rest;
      place = where;
    }
    if (function.empty() || function[0] == '?') continue;
    std::string_view line = place;
    line = line.substr(0, line.rfind(':'));  // without the column
    for (const std::string_view room : {"/impl/", "/fuzzers/", "/conformance/", "/oracle/"}) {
      const size_t at = line.rfind(room);
      if (at == std::string_view::npos) continue;
      line = line.substr(at + 1);
      break;
    }
    text = function + " " + std::string(line);
  }
  pclose(pipe);
  return texts;
}

std::string PlainPlace(const Module& module, uintptr_t offset) {
  char plain[320];
  snprintf(plain, sizeof(plain), "0x%lx in %s", static_cast<unsigned long>(offset),
           module.path[0] == '\0' ? "the program" : module.path);
  return plain;
}

// What has been looked up, for each way of naming what was inlined.
std::string& Known(const Module& module, uintptr_t offset, bool innermost) {
  static std::map<std::pair<std::string, uintptr_t>, std::string> known[2];
  return known[innermost ? 1 : 0][{module.path, offset}];
}

void LookUp(const Module& module, const Offsets& offsets, bool innermost) {
  Offsets missing;
  for (const uintptr_t offset : offsets) {
    if (Known(module, offset, innermost).empty()) missing.push_back(offset);
  }
  if (missing.empty()) return;
  const std::vector<std::string> texts = Symbolize(module, missing, innermost);
  for (size_t i = 0; i < missing.size(); ++i) {
    Known(module, missing[i], innermost) =
        texts[i].empty() ? PlainPlace(module, missing[i]) : texts[i];
  }
}

void LookUp(const std::vector<uintptr_t>& addresses, bool innermost) {
  std::map<std::string, std::pair<Module, Offsets>> by_module;
  for (const uintptr_t address : addresses) {
    Module module;
    if (!FindModule(address, &module)) continue;
    auto& [found, offsets] = by_module[module.path];
    found = module;
    offsets.push_back(address - module.load_address);
  }
  for (const auto& [path, entry] : by_module) LookUp(entry.first, entry.second, innermost);
}

std::string Describe(uintptr_t address, bool innermost) {
  Module module;
  if (!FindModule(address, &module)) return "unknown code";
  const uintptr_t offset = address - module.load_address;
  LookUp(module, {offset}, innermost);
  return Known(module, offset, innermost);
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

std::string DescribeSite(uint32_t site) { return DescribeReturn(AddressOf(site)); }

std::string DescribeReturn(uintptr_t address) {
  // It is where the call returns to; the access lies before it.
  return Describe(address - 1, /*innermost=*/false);
}

std::string DescribeCode(uintptr_t address) { return Describe(address, /*innermost=*/true); }

void LookUpReturns(const std::vector<uintptr_t>& addresses) {
  std::vector<uintptr_t> before;
  for (const uintptr_t address : addresses) {
    if (address != 0) before.push_back(address - 1);
  }
  LookUp(before, /*innermost=*/false);
}

void LookUpCode(const std::vector<uintptr_t>& addresses) { LookUp(addresses, /*innermost=*/true); }

}  // namespace cancelsafe::memory
