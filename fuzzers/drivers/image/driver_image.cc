// See driver_image.h.
#include "fuzzers/drivers/image/driver_image.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

constexpr size_t kPage = 4096;
// One image to a slot, with room for the largest and its stubs.
constexpr size_t kSlotBytes = size_t{kMaxImageBytes} * 2;
constexpr int kSlots = static_cast<int>(kKiWindowsZoneBytes / kSlotBytes);
static_assert(kSlots >= 4, "a driver, a DLL, and two more");
bool slot_used[kSlots];

// mov rcx, import; mov rax, handler; jmp rax: the handler gets the import.
constexpr size_t kStubBytes = 24;

DriverImage::MissingHandler missing_handler = nullptr;

CANCELSAFE_MS_ABI void ReachedMissing(const PeImport* import) {
  if (missing_handler != nullptr) missing_handler(import->module.c_str(), import->name.c_str());
  fprintf(stderr, "cancelsafe: the image called %s of %s, which is not provided\n",
          import->name.c_str(), import->module.c_str());
  abort();
}

void WriteStub(char* at, const PeImport* import) {
  const auto handler = reinterpret_cast<uint64_t>(&ReachedMissing);
  const auto argument = reinterpret_cast<uint64_t>(import);
  const unsigned char code[kStubBytes] = {0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0,    0x48,
                                          0xb8, 0,    0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
  memcpy(at, code, sizeof(code));
  memcpy(at + 2, &argument, 8);
  memcpy(at + 12, &handler, 8);
}

size_t InPages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

void DriverImage::SetMissingHandler(MissingHandler handler) { missing_handler = handler; }
bool DriverImage::HasMissingHandler() { return missing_handler != nullptr; }

std::unique_ptr<DriverImage> DriverImage::Load(const std::string& path, const Resolver& resolver,
                                               std::string* error) {
  const absl::StatusOr<std::string> file = ReadFile(path);
  if (!file.ok()) {
    *error = std::string(file.status().message());
    return nullptr;
  }
  return LoadBytes(std::vector<uint8_t>(file->begin(), file->end()), path, resolver, error);
}

std::unique_ptr<DriverImage> DriverImage::LoadBytes(const std::vector<uint8_t>& bytes,
                                                    const std::string& name,
                                                    const Resolver& resolver, std::string* error) {
  std::unique_ptr<DriverImage> image(new DriverImage);
  image->path_ = name;
  std::string why;
  if (!ParsePe(bytes, &image->file_, &why) || !image->Map(bytes, &why)) {
    *error = absl::StrCat(name, ": ", why);
    return nullptr;
  }
  image->Relocate();
  image->NumberBlocks();
  if (!image->Bind(resolver, &why) || !image->Protect(&why)) {
    *error = absl::StrCat(name, ": ", why);
    return nullptr;
  }
  return image;
}

DriverImage::~DriverImage() {
  if (base_ != nullptr) munmap(base_, mapped_);
  if (slot_ >= 0) slot_used[slot_] = false;
}

bool DriverImage::Map(const std::vector<uint8_t>& bytes, std::string* error) {
  slot_ = static_cast<int>(std::find(slot_used, slot_used + kSlots, false) - slot_used);
  if (slot_ == kSlots) {
    slot_ = -1;
    *error = absl::StrCat("at most ", kSlots, " images are loaded at a time");
    return false;
  }
  slot_used[slot_] = true;
  mapped_ = file_.image_size + InPages(file_.imports.size() * kStubBytes);
  void* const wanted = reinterpret_cast<void*>(kKiWindowsZone + slot_ * kSlotBytes);
  void* const got = mmap(wanted, mapped_, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != wanted) {
    if (got != MAP_FAILED) munmap(got, mapped_);
    *error = absl::StrCat("the system does not map ", mapped_, " bytes at ",
                          absl::Hex(reinterpret_cast<uintptr_t>(wanted)), ": ", strerror(errno));
    return false;
  }
  base_ = static_cast<char*>(got);
  memcpy(base_, bytes.data(), file_.header_size);
  for (const PeSection& section : file_.sections) {
    if (section.file_size == 0) continue;
    memcpy(base_ + section.rva, bytes.data() + section.file_offset, section.file_size);
  }
  return true;
}

void DriverImage::Relocate() {
  const uint64_t difference = reinterpret_cast<uint64_t>(base_) - file_.preferred_base;
  for (const uint32_t at : file_.relocations) {
    uint64_t address;
    memcpy(&address, base_ + at, 8);
    address += difference;
    memcpy(base_ + at, &address, 8);
  }
}

bool DriverImage::Bind(const Resolver& resolver, std::string*) {
  char* stub = base_ + file_.image_size;
  for (const PeImport& import : file_.imports) {
    instrumented_ |= import.name == "__tsan_read8" || import.name == "__tsan_write8" ||
                     import.name == "__tsan_read4" || import.name == "__tsan_write4";
    const void* address = resolver(import.module, import.name);
    if (address == nullptr) {
      missing_.push_back(absl::StrCat(import.name, " (", import.module, ")"));
      stubbed_.push_back(std::make_unique<PeImport>(import));
      WriteStub(stub, stubbed_.back().get());
      address = stub;
      stub += kStubBytes;
    }
    memcpy(base_ + import.slot, &address, 8);
  }
  return true;
}

// The compiler's constructor would do so, but nothing calls an image's constructors.
void DriverImage::NumberBlocks() {
  auto* const begin = static_cast<uint32_t*>(FindExport("__start___sancov_guards"));
  auto* const end = static_cast<uint32_t*>(FindExport("__stop___sancov_guards"));
  const auto in_one_section = [this](const void* from, const void* to) {
    return std::any_of(file_.sections.begin(), file_.sections.end(), [&](const PeSection& section) {
      const char* const start = base_ + section.rva;
      return start <= from && to <= start + section.size && from <= to;
    });
  };
  if (begin == nullptr || end == nullptr || !in_one_section(begin, end)) return;
  for (uint32_t* guard = begin; end - guard > 0; ++guard) *guard = ++blocks_;
}

bool DriverImage::Protect(std::string* error) {
  const auto protect = [this, error](size_t rva, size_t size, int rights) {
    if (size == 0 || mprotect(base_ + rva, InPages(size), rights) == 0) return true;
    *error = absl::StrCat("the system does not protect its memory: ", strerror(errno));
    return false;
  };
  for (const PeSection& section : file_.sections) {
    if (!section.writable) continue;
    char* const begin = base_ + section.rva;
    writable_.push_back({begin, InPages(section.size)});
    pristine_.insert(pristine_.end(), begin, begin + InPages(section.size));
  }
  // What no section covers stays without rights.
  if (!protect(0, file_.image_size, PROT_NONE) || !protect(0, file_.header_size, PROT_READ) ||
      !protect(file_.image_size, mapped_ - file_.image_size, PROT_READ | PROT_EXEC)) {
    return false;
  }
  for (const PeSection& section : file_.sections) {
    int rights = PROT_READ;
    if (section.writable) rights |= PROT_WRITE;
    if (section.executable) rights |= PROT_EXEC;
    if (!protect(section.rva, section.size, rights)) return false;
  }
  return true;
}

void DriverImage::Reset() {
  const char* from = pristine_.data();
  for (const Span& span : writable_) {
#ifdef CANCELSAFE_SANITIZER_THREAD
    // A copy by a routine of the library would be an access to TSan.
    char* to = span.begin;
    const char* source = from;
    size_t count = span.bytes;
    asm volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(count) : : "memory");
#else
    memcpy(span.begin, from, span.bytes);
#endif
    from += span.bytes;
  }
}

void* DriverImage::entry() const { return file_.entry == 0 ? nullptr : base_ + file_.entry; }

void* DriverImage::FindExport(const std::string& name) const {
  for (const PeExport& exported : file_.exports) {
    if (exported.name == name) return base_ + exported.rva;
  }
  return nullptr;
}

bool DriverImage::InSection(uint32_t rva, size_t bytes) const {
  return std::any_of(file_.sections.begin(), file_.sections.end(), [&](const PeSection& section) {
    return rva >= section.rva && rva - section.rva < section.size &&
           bytes <= section.size - (rva - section.rva);
  });
}

bool DriverImage::IsExecutable(const volatile void* address) const {
  if (!Contains(address)) return false;
  const size_t rva = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(base_);
  return std::any_of(file_.sections.begin(), file_.sections.end(), [rva](const PeSection& section) {
    return section.executable && rva >= section.rva && rva - section.rva < section.size;
  });
}

}  // namespace cancelsafe::drivers
