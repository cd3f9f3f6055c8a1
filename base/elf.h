// A program file for x86-64 as tables of structures, read without running or loading it.
// Which facts matter is up to the callers.
#ifndef CANCELSAFE_BASE_ELF_H_
#define CANCELSAFE_BASE_ELF_H_

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe {

// A file's bytes as tables of structures. What lies outside the file is empty.
class Elf {
 public:
  explicit Elf(std::string bytes) : bytes_(std::move(bytes)) {
    if (bytes_.size() >= sizeof(header_)) memcpy(&header_, bytes_.data(), sizeof(header_));
  }
  // Reads the file. The error says what it is not: readable, or a program for x86-64.
  static absl::StatusOr<Elf> Read(const std::string& path);

  bool IsX8664() const {
    return memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0 &&
           header_.e_ident[EI_CLASS] == ELFCLASS64 && header_.e_machine == EM_X86_64;
  }
  std::vector<Elf64_Shdr> Sections() const {
    return Table<Elf64_Shdr>(header_.e_shoff, uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr));
  }
  uint16_t section_names() const { return header_.e_shstrndx; }
  template <typename Row>
  std::vector<Row> Table(uint64_t offset, uint64_t size) const {
    std::vector<Row> rows;
    if (offset > bytes_.size() || size > bytes_.size() - offset) return rows;
    rows.resize(size / sizeof(Row));
    if (!rows.empty()) memcpy(rows.data(), bytes_.data() + offset, rows.size() * sizeof(Row));
    return rows;
  }
  template <typename Row>
  std::vector<Row> Rows(const Elf64_Shdr& section) const {
    return Table<Row>(section.sh_offset, section.sh_size);
  }
  // The string at `index` of a table of strings.
  std::string String(const Elf64_Shdr& table, uint64_t index) const {
    std::vector<char> strings = Rows<char>(table);
    strings.push_back('\0');
    return index < strings.size() ? std::string(&strings[index]) : "";
  }

 private:
  std::string bytes_;
  Elf64_Ehdr header_ = {};
};

struct ElfSymbol {
  std::string name;
  bool defined = false;
  bool weak = false;
  bool function = false;
  uint64_t address = 0;
  uint64_t size = 0;
};

// The symbols of the tables of one type: SHT_DYNSYM, what a loader sees, or SHT_SYMTAB, all
// that was not stripped. O(size of the file).
std::vector<ElfSymbol> SymbolsOf(const Elf& elf, uint32_t table_type);

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_ELF_H_
