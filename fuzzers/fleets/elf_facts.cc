// See elf_facts.h.
#include "fuzzers/fleets/elf_facts.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

// A file's bytes as tables of structures. What lies outside the file is empty.
class Elf {
 public:
  explicit Elf(std::string bytes) : bytes_(std::move(bytes)) {
    if (bytes_.size() >= sizeof(header_)) memcpy(&header_, bytes_.data(), sizeof(header_));
  }

  bool IsX8664() const {
    return memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0 &&
           header_.e_ident[EI_CLASS] == ELFCLASS64 && header_.e_machine == EM_X86_64;
  }
  std::vector<Elf64_Shdr> Sections() const {
    return Table<Elf64_Shdr>(header_.e_shoff, uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr));
  }
  template <typename Row>
  std::vector<Row> Table(uint64_t offset, uint64_t size) const {
    std::vector<Row> rows;
    if (offset > bytes_.size() || size > bytes_.size() - offset) return rows;
    rows.resize(size / sizeof(Row));
    memcpy(rows.data(), bytes_.data() + offset, rows.size() * sizeof(Row));
    return rows;
  }
  template <typename Row>
  std::vector<Row> Rows(const Elf64_Shdr& section) const {
    return Table<Row>(section.sh_offset, section.sh_size);
  }
  // The string at `index` of a table of strings.
  std::string String(const Elf64_Shdr& table, uint64_t index) const {
    const std::vector<char> strings = Rows<char>(table);
    return index < strings.size() ? std::string(&strings[index]) : "";
  }

 private:
  const std::string bytes_;
  Elf64_Ehdr header_ = {};
};

enum class Runtime { kNone, kAsan, kUbsan };

Runtime RuntimeOf(const char* name) {
  if (absl::StartsWith(name, "__asan")) return Runtime::kAsan;
  return absl::StartsWith(name, "__ubsan") ? Runtime::kUbsan : Runtime::kNone;
}

// Call instructions with a relative target (E8) that is the address of a function of
// a sanitizer. Bytes that only look like such a call hit one of some hundred addresses
// out of 2^32: never, for counting.
void CountCalls(const Elf& elf, const std::vector<Elf64_Shdr>& sections, ElfFacts* facts) {
  std::unordered_map<uint64_t, Runtime> functions;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    std::vector<char> names = elf.Rows<char>(sections[section.sh_link]);
    names.push_back('\0');
    for (const Elf64_Sym& symbol : elf.Rows<Elf64_Sym>(section)) {
      if (symbol.st_name >= names.size()) continue;
      const Runtime runtime = RuntimeOf(&names[symbol.st_name]);
      if (runtime != Runtime::kNone) functions[symbol.st_value] = runtime;
    }
  }
  constexpr size_t kCallBytes = 5;
  for (const Elf64_Shdr& section : sections) {
    if ((section.sh_flags & SHF_EXECINSTR) == 0 || section.sh_type != SHT_PROGBITS) continue;
    const std::vector<unsigned char> code = elf.Rows<unsigned char>(section);
    for (size_t i = 0; i + kCallBytes <= code.size(); ++i) {
      if (code[i] != 0xe8) continue;
      int32_t distance;
      memcpy(&distance, &code[i + 1], sizeof(distance));
      const auto found = functions.find(section.sh_addr + i + kCallBytes +
                                        static_cast<uint64_t>(int64_t{distance}));
      if (found == functions.end()) continue;
      ++(found->second == Runtime::kAsan ? facts->asan_calls : facts->ubsan_calls);
    }
  }
}

}  // namespace

absl::StatusOr<ElfFacts> ReadElf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return absl::UnavailableError(absl::StrCat("cannot read ", path));
  const Elf elf(std::move(bytes));
  if (!elf.IsX8664()) return absl::InvalidArgumentError("not an x86-64 program");
  const std::vector<Elf64_Shdr> sections = elf.Sections();
  const Elf64_Ehdr header = elf.Table<Elf64_Ehdr>(0, sizeof(Elf64_Ehdr))[0];
  ElfFacts facts;
  for (const Elf64_Shdr& section : sections) {
    if (header.e_shstrndx < sections.size()) {
      facts.has_coverage_map |=
          elf.String(sections[header.e_shstrndx], section.sh_name) == "__llvm_covmap";
    }
    if (section.sh_type != SHT_DYNAMIC || section.sh_link >= sections.size()) continue;
    for (const Elf64_Dyn& entry : elf.Rows<Elf64_Dyn>(section)) {
      if (entry.d_tag == DT_NULL) break;
      facts.has_run_path |= entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH;
      if (entry.d_tag == DT_NEEDED) {
        facts.needed.push_back(elf.String(sections[section.sh_link], entry.d_un.d_val));
      }
    }
  }
  CountCalls(elf, sections, &facts);
  return facts;
}

}  // namespace cancelsafe
