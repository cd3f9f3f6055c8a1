// See pe_file.h.
#include "fuzzers/drivers/image/pe_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cancelsafe::drivers {
namespace {

constexpr uint32_t kPage = 4096;
constexpr size_t kMaxNames = 65536;  // imports, exports: far more than any driver has
constexpr size_t kMaxNameBytes = 512;
constexpr uint16_t kMachineAmd64 = 0x8664;
constexpr uint16_t kPe32Plus = 0x20b;
constexpr uint16_t kDll = 0x2000;
constexpr uint32_t kExecutes = 0x20000000;
constexpr uint32_t kWrites = 0x80000000;
constexpr size_t kOptionalHeaderBytes = 112;  // up to the directories
constexpr size_t kSectionBytes = 40;

enum Directory {
  kExports = 0,
  kImports = 1,
  kExceptions = 3,
  kRelocations = 5,
  kDelayImports = 13
};

// Reads the file one checked step at a time; the first failure is kept.
class Reader {
 public:
  Reader(const std::vector<uint8_t>& bytes, PeFile* file, std::string* error)
      : bytes_(bytes), file_(*file), error_(*error) {}

  bool Read() {
    return ReadHeaders() && ReadSections() && ReadRelocations() && ReadImports() && ReadExports() &&
           ReadExceptions();
  }

 private:
  template <typename T>
  bool At(size_t offset, T* value) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return false;
    __builtin_memcpy(value, bytes_.data() + offset, sizeof(T));
    return true;
  }

  template <typename... Parts>
  bool Fail(const Parts&... parts) {
    error_ = absl::StrCat(parts...);
    return false;
  }
  bool Truncated(const char* what) {
    return Fail("the file ends within ", what, ": it has ", bytes_.size(), " bytes");
  }

  // File offset of `size` bytes at `rva` that the file holds, or false.
  bool Offset(uint32_t rva, uint32_t size, size_t* offset) const {
    if (rva < file_.header_size && size <= file_.header_size - rva) {
      *offset = rva;
      return true;
    }
    for (const PeSection& section : file_.sections) {
      if (rva < section.rva || rva - section.rva >= section.file_size) continue;
      if (size > section.file_size - (rva - section.rva)) return false;
      *offset = section.file_offset + (rva - section.rva);
      return true;
    }
    return false;
  }
  template <typename T>
  bool AtRva(uint32_t rva, T* value) const {
    size_t offset;
    return Offset(rva, sizeof(T), &offset) && At(offset, value);
  }
  // A string that ends within what the file holds.
  bool TextAtRva(uint32_t rva, std::string* text) const {
    size_t offset;
    if (!Offset(rva, 1, &offset)) return false;
    text->clear();
    for (; text->size() < kMaxNameBytes && offset < bytes_.size(); ++offset) {
      if (bytes_[offset] == 0) return !text->empty();
      // Names go into messages: one that is not text is not a name.
      if (bytes_[offset] < 0x20 || bytes_[offset] > 0x7e) return false;
      text->push_back(static_cast<char>(bytes_[offset]));
    }
    return false;
  }
  bool InSection(uint32_t rva, uint32_t size) const {
    for (const PeSection& section : file_.sections) {
      if (rva >= section.rva && rva - section.rva < section.size &&
          size <= section.size - (rva - section.rva)) {
        return true;
      }
    }
    return false;
  }

  bool ReadHeaders();
  bool ReadSections();
  bool ReadRelocations();
  bool ReadImports();
  bool ReadImportsOf(const std::string& module, uint32_t names, uint32_t slots);
  bool ReadExports();
  bool ReadExceptions();

  const std::vector<uint8_t>& bytes_;
  PeFile& file_;
  std::string& error_;
  size_t section_table_ = 0;
  uint16_t section_count_ = 0;
  PeRange directories_[16];
};

bool Reader::ReadHeaders() {
  if (bytes_.size() > kMaxImageBytes) {
    return Fail("the file has ", bytes_.size(), " bytes; at most ", kMaxImageBytes, " are read");
  }
  uint16_t magic;
  if (!At(0, &magic) || magic != 0x5a4d) {
    return Fail("not a PE image: it does not begin with \"MZ\"");
  }
  uint32_t pe;
  uint32_t signature;
  if (!At(0x3c, &pe)) return Truncated("its DOS header");
  if (!At(pe, &signature)) return Fail("the PE header's place, ", pe, ", is outside of the file");
  if (signature != 0x4550) return Fail("not a PE image: there is no \"PE\" at ", pe);
  uint16_t machine;
  uint16_t optional_size;
  uint16_t characteristics;
  const size_t coff = size_t{pe} + 4;
  if (!At(coff, &machine) || !At(coff + 2, &section_count_) || !At(coff + 16, &optional_size) ||
      !At(coff + 18, &characteristics)) {
    return Truncated("its PE header");
  }
  if (machine != kMachineAmd64) {
    return Fail("it is for machine ", absl::StrFormat("0x%x", machine),
                "; build it for x86-64 (0x8664)");
  }
  file_.is_dll = (characteristics & kDll) != 0;
  const size_t optional = coff + 20;
  uint16_t kind;
  uint32_t section_alignment;
  uint32_t directory_count;
  if (optional_size < kOptionalHeaderBytes || !At(optional, &kind) ||
      !At(optional + 16, &file_.entry) || !At(optional + 24, &file_.preferred_base) ||
      !At(optional + 32, &section_alignment) || !At(optional + 56, &file_.image_size) ||
      !At(optional + 60, &file_.header_size) || !At(optional + 68, &file_.subsystem) ||
      !At(optional + 108, &directory_count)) {
    return Truncated("its optional header");
  }
  if (kind != kPe32Plus) {
    return Fail("its optional header is of kind ", absl::StrFormat("0x%x", kind),
                "; expected PE32+ (0x20b)");
  }
  if (section_alignment < kPage || (section_alignment & (section_alignment - 1)) != 0) {
    return Fail("sections are aligned to ", section_alignment, " bytes; expected a power of two, ",
                kPage, " or more");
  }
  if (file_.image_size == 0 || file_.image_size > kMaxImageBytes) {
    return Fail("its size in memory is ", file_.image_size, "; expected 1 to ", kMaxImageBytes);
  }
  file_.image_size = (file_.image_size + kPage - 1) / kPage * kPage;
  if (file_.header_size > bytes_.size() || file_.header_size > file_.image_size) {
    return Fail("its headers claim ", file_.header_size, " bytes, more than there are");
  }
  directory_count = std::min(directory_count, 16u);
  if (optional_size < kOptionalHeaderBytes + directory_count * 8u) {
    return Fail("its ", directory_count, " directories do not fit in its optional header");
  }
  for (uint32_t i = 0; i < directory_count; ++i) {
    const size_t at = optional + kOptionalHeaderBytes + i * 8u;
    if (!At(at, &directories_[i].rva) || !At(at + 4, &directories_[i].size)) {
      return Truncated("its directories");
    }
  }
  section_table_ = optional + optional_size;
  return true;
}

bool Reader::ReadSections() {
  if (section_count_ == 0 || section_count_ > 96) {
    return Fail("it has ", section_count_, " sections; expected 1 to 96");
  }
  uint64_t end = file_.header_size;
  for (int i = 0; i < section_count_; ++i) {
    const size_t at = section_table_ + static_cast<size_t>(i) * kSectionBytes;
    uint32_t virtual_size;
    uint32_t flags;
    PeSection section;
    if (!At(at + 8, &virtual_size) || !At(at + 12, &section.rva) ||
        !At(at + 16, &section.file_size) || !At(at + 20, &section.file_offset) ||
        !At(at + 36, &flags)) {
      return Truncated("its section table");
    }
    for (int k = 0; k < 8 && bytes_[at + k] != 0; ++k) {
      const char c = static_cast<char>(bytes_[at + k]);
      section.name += c >= 0x20 && c <= 0x7e ? c : '?';
    }
    section.size = virtual_size != 0 ? virtual_size : section.file_size;
    section.file_size = std::min(section.file_size, section.size);
    if (section.size == 0) continue;
    const std::string what = absl::StrCat("section ", i, " (\"", section.name, "\")");
    if (section.rva % kPage != 0) return Fail(what, " begins within a page, at ", section.rva);
    if (section.rva < end) return Fail(what, " overlaps what comes before it");
    if (uint64_t{section.rva} + section.size > file_.image_size) {
      return Fail(what, " ends outside of the image, which has ", file_.image_size, " bytes");
    }
    if (section.file_size != 0 &&
        uint64_t{section.file_offset} + section.file_size > bytes_.size()) {
      return Fail(what, " ends outside of the file, which has ", bytes_.size(), " bytes");
    }
    section.executable = (flags & kExecutes) != 0;
    section.writable = (flags & kWrites) != 0;
    end = uint64_t{section.rva} + section.size;
    file_.sections.push_back(std::move(section));
  }
  if (file_.sections.empty()) return Fail("all of its sections are empty");
  if (file_.entry != 0) {
    const auto holds = [this](const PeSection& section) {
      return section.executable && file_.entry >= section.rva &&
             file_.entry - section.rva < section.size;
    };
    if (std::none_of(file_.sections.begin(), file_.sections.end(), holds)) {
      return Fail("its entry point, ", file_.entry, ", is not in an executable section");
    }
  }
  return true;
}

bool Reader::ReadRelocations() {
  const PeRange range = directories_[kRelocations];
  uint32_t at = 0;
  while (range.size - at >= 8) {
    uint32_t page;
    uint32_t size;
    if (range.rva > UINT32_MAX - at || !AtRva(range.rva + at, &page) ||
        !AtRva(range.rva + at + 4, &size)) {
      return Fail("its relocations are outside of the file");
    }
    if (size < 8 || size > range.size - at) {
      return Fail("a block of relocations claims ", size, " bytes of the ", range.size - at,
                  " that are left");
    }
    for (uint32_t entry = 8; entry + 2 <= size; entry += 2) {
      uint16_t word;
      if (!AtRva(range.rva + at + entry, &word)) {
        return Fail("its relocations are outside of the file");
      }
      const int type = word >> 12;
      if (type == 0) continue;  // fills up the block
      if (type != 10) {
        return Fail("a relocation is of type ", type, "; on x86-64 there is DIR64 (10) alone");
      }
      const uint64_t target = uint64_t{page} + (word & 0xfff);
      if (target > file_.image_size || !InSection(static_cast<uint32_t>(target), 8)) {
        return Fail("a relocation of the address at ", target, " is outside of all sections");
      }
      file_.relocations.push_back(static_cast<uint32_t>(target));
    }
    at += size;
  }
  return true;
}

bool Reader::ReadImports() {
  if (directories_[kDelayImports].size != 0) {
    return Fail("it has delayed imports, which drivers cannot have");
  }
  const PeRange range = directories_[kImports];
  if (range.rva == 0 || range.size == 0) return true;
  for (uint32_t at = range.rva;; at += 20) {
    uint32_t names;
    uint32_t module_name;
    uint32_t slots;
    if (at < range.rva || !AtRva(at, &names) || !AtRva(at + 12, &module_name) ||
        !AtRva(at + 16, &slots)) {
      return Fail("its import directory is outside of the file");
    }
    if (module_name == 0 && slots == 0) return true;
    std::string module;
    if (!TextAtRva(module_name, &module)) return Fail("the name of an imported module is not text");
    if (!ReadImportsOf(module, names != 0 ? names : slots, slots)) return false;
  }
}

bool Reader::ReadImportsOf(const std::string& module, uint32_t names, uint32_t slots) {
  for (uint32_t at = 0;; at += 8) {
    uint64_t lookup;
    if (names > UINT32_MAX - at || slots > UINT32_MAX - at || !AtRva(names + at, &lookup)) {
      return Fail("the imports from ", module, " are outside of the file");
    }
    if (lookup == 0) return true;
    if (lookup >> 63 != 0) {
      return Fail("it imports from ", module, " by ordinal (", lookup & 0xffff,
                  "); imports by name are bound alone");
    }
    PeImport import;
    import.module = module;
    import.slot = slots + at;
    if (lookup > UINT32_MAX - 2 || !TextAtRva(static_cast<uint32_t>(lookup) + 2, &import.name)) {
      return Fail("the name of an import from ", module, " is not text");
    }
    if (!InSection(import.slot, 8)) {
      return Fail("the address of ", import.name, " would be stored outside of all sections");
    }
    file_.imports.push_back(std::move(import));
    if (file_.imports.size() > kMaxNames) return Fail("it has more than ", kMaxNames, " imports");
  }
}

bool Reader::ReadExports() {
  const PeRange range = directories_[kExports];
  if (range.rva == 0 || range.size == 0) return true;
  uint32_t functions_count;
  uint32_t names_count;
  uint32_t functions;
  uint32_t names;
  uint32_t ordinals;
  if (!AtRva(range.rva + 20, &functions_count) || !AtRva(range.rva + 24, &names_count) ||
      !AtRva(range.rva + 28, &functions) || !AtRva(range.rva + 32, &names) ||
      !AtRva(range.rva + 36, &ordinals)) {
    return Fail("its export directory is outside of the file");
  }
  if (names_count > kMaxNames) return Fail("it claims ", names_count, " exports");
  for (uint32_t i = 0; i < names_count; ++i) {
    uint32_t name;
    uint16_t ordinal;
    PeExport exported;
    if (!AtRva(names + i * 4, &name) || !AtRva(ordinals + i * 2, &ordinal) ||
        ordinal >= functions_count || !AtRva(functions + ordinal * 4u, &exported.rva) ||
        !TextAtRva(name, &exported.name)) {
      return Fail("export ", i, " is outside of the file");
    }
    // One that lies in the directory itself is a text: the place of the routine elsewhere.
    if (exported.rva - range.rva < range.size) continue;
    if (!InSection(exported.rva, 1)) {
      return Fail("the exported ", exported.name, " is outside of all sections");
    }
    file_.exports.push_back(std::move(exported));
  }
  return true;
}

// The table's own contents are looked at where an exception is (world/unwind.h).
bool Reader::ReadExceptions() {
  const PeRange range = directories_[kExceptions];
  if (range.rva == 0 || range.size == 0) return true;
  if (!InSection(range.rva, range.size)) {
    return Fail("its exception table, ", range.size, " bytes at ", range.rva,
                ", is outside of all sections");
  }
  file_.exceptions = range;
  return true;
}

}  // namespace

bool ParsePe(const std::vector<uint8_t>& bytes, PeFile* file, std::string* error) {
  *file = PeFile();
  return Reader(bytes, file, error).Read();
}

}  // namespace cancelsafe::drivers
