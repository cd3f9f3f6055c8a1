// See elf_facts.h.
#include "fuzzers/fleets/elf_facts.h"

#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "absl/strings/match.h"
#include "base/elf.h"

namespace cancelsafe {
namespace {

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
  const absl::StatusOr<Elf> read = Elf::Read(path);
  if (!read.ok()) return read.status();
  const Elf& elf = *read;
  const std::vector<Elf64_Shdr> sections = elf.Sections();
  ElfFacts facts;
  for (const Elf64_Shdr& section : sections) {
    if (elf.section_names() < sections.size()) {
      facts.has_coverage_map |=
          elf.String(sections[elf.section_names()], section.sh_name) == "__llvm_covmap";
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
