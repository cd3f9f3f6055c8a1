// See missing_symbols.h.
#include "missing_symbols.h"

#include <dlfcn.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/elf.h"

namespace cancelsafe {
namespace {

// Handles of the libraries that the file names; they stay open.
std::vector<void*> NeededLibraries(const Elf& elf) {
  std::vector<void*> handles;
  const std::vector<Elf64_Shdr> sections = elf.Sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNAMIC || section.sh_link >= sections.size()) continue;
    for (const Elf64_Dyn& entry : elf.Rows<Elf64_Dyn>(section)) {
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag != DT_NEEDED) continue;
      const std::string name = elf.String(sections[section.sh_link], entry.d_un.d_val);
      void* const handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
      if (handle != nullptr) handles.push_back(handle);
    }
  }
  return handles;
}

bool Has(const std::vector<void*>& libraries, const std::string& name) {
  if (dlsym(RTLD_DEFAULT, name.c_str()) != nullptr) return true;
  for (void* const library : libraries) {
    if (dlsym(library, name.c_str()) != nullptr) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> MissingSymbols(const std::string& path) {
  std::vector<std::string> missing;
  const absl::StatusOr<Elf> elf = Elf::Read(path);
  if (!elf.ok()) return missing;
  const std::vector<void*> libraries = NeededLibraries(*elf);
  for (const ElfSymbol& symbol : SymbolsOf(*elf, SHT_DYNSYM)) {
    if (symbol.defined || symbol.weak || symbol.name.empty() || Has(libraries, symbol.name)) {
      continue;
    }
    missing.push_back(symbol.name);
  }
  return missing;
}

std::string DescribeMissingSymbols(const std::string& path) {
  const std::vector<std::string> missing = MissingSymbols(path);
  if (missing.empty()) return "";
  return absl::StrCat(path, ": ", missing.size(),
                      missing.size() == 1 ? " undefined symbol is" : " undefined symbols are",
                      " not provided by the host: ", absl::StrJoin(missing, ", "),
                      "; the kernel services that it has are those of impl/include (listed in "
                      "impl/kernel/services.h): define the others in your sources");
}

}  // namespace cancelsafe
