// See elf.h.
#include "base/elf.h"

#include <utility>

#include "base/files.h"

namespace cancelsafe {

absl::StatusOr<Elf> Elf::Read(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  Elf elf(*std::move(bytes));
  if (!elf.IsX8664()) return absl::InvalidArgumentError("not an x86-64 program");
  return elf;
}

std::vector<ElfSymbol> SymbolsOf(const Elf& elf, uint32_t table_type) {
  std::vector<ElfSymbol> symbols;
  const std::vector<Elf64_Shdr> sections = elf.Sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != table_type || section.sh_link >= sections.size()) continue;
    std::vector<char> names = elf.Rows<char>(sections[section.sh_link]);
    names.push_back('\0');
    for (const Elf64_Sym& row : elf.Rows<Elf64_Sym>(section)) {
      ElfSymbol symbol;
      if (row.st_name < names.size()) symbol.name = &names[row.st_name];
      symbol.defined = row.st_shndx != SHN_UNDEF;
      symbol.weak = ELF64_ST_BIND(row.st_info) == STB_WEAK;
      symbol.function = ELF64_ST_TYPE(row.st_info) == STT_FUNC;
      symbol.address = row.st_value;
      symbol.size = row.st_size;
      symbols.push_back(std::move(symbol));
    }
  }
  return symbols;
}

}  // namespace cancelsafe
