// A PE image mapped into this process, its imports bound: a driver (.sys), or a DLL that
// exports documented routines. Which services there are is the caller's table; nothing
// here knows a kernel.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMAGE_DRIVER_IMAGE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMAGE_DRIVER_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fuzzers/drivers/image/pe_file.h"

namespace cancelsafe::drivers {

class DriverImage {
 public:
  // The address to bind an import to: a function with the Microsoft calling convention,
  // or the place of a variable. Null: it is not provided.
  using Resolver = std::function<const void*(const std::string& module, const std::string& name)>;
  // Called by a driver that reached a service which is not provided; must not return.
  using MissingHandler = void (*)(const char* module, const char* name);

  // Maps the image of `path`, at the same address in every process for the n-th image that
  // is loaded in one, relocates it and binds its imports. Those that `resolver` does not
  // know are bound to stubs that call the handler of SetMissingHandler. On failure returns
  // null and says why in `*error`. The image's own code does not run.
  static std::unique_ptr<DriverImage> Load(const std::string& path, const Resolver& resolver,
                                           std::string* error);
  // Likewise of a file that was read already; `name` is for messages.
  static std::unique_ptr<DriverImage> LoadBytes(const std::vector<uint8_t>& bytes,
                                                const std::string& name, const Resolver& resolver,
                                                std::string* error);
  ~DriverImage();
  DriverImage(const DriverImage&) = delete;
  DriverImage& operator=(const DriverImage&) = delete;

  static void SetMissingHandler(MissingHandler handler);
  static bool HasMissingHandler();

  // "name (module)" of each import that is not provided, in the order of the file.
  const std::vector<std::string>& missing_services() const { return missing_; }
  const std::vector<PeImport>& imports() const { return file_.imports; }
  // Whether its code was built with -fsanitize=thread: its accesses are seen.
  bool instrumented() const { return instrumented_; }

  // Blocks of its code that announce themselves by the numbers 1 to this one.
  uint32_t blocks() const { return blocks_; }

  // Writable sections become again what they were after Load. O(bytes of them).
  void Reset();

  // The entry point, null if it has none. Microsoft calling convention.
  void* entry() const;
  // An exported routine or variable, or null.
  void* FindExport(const std::string& name) const;

  char* base() const { return base_; }
  size_t size() const { return file_.image_size; }
  bool Contains(const volatile void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(base_) < size();
  }
  bool IsExecutable(const volatile void* address) const;
  // Copies what the image holds now at `rva`. False, and nothing is copied, unless all of it lies
  // in one section. O(sections).
  template <typename T>
  bool ReadAt(uint32_t rva, T* value) const {
    if (!InSection(rva, sizeof(T))) return false;
    __builtin_memcpy(value, base_ + rva, sizeof(T));
    return true;
  }
  // The table of RUNTIME_FUNCTIONs; size 0 where it has none.
  PeRange exceptions() const { return file_.exceptions; }
  // Address in the file as its linker placed it: what llvm-symbolizer --obj wants.
  uint64_t LinkedAddress(const volatile void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(base_) +
           file_.preferred_base;
  }
  const std::string& path() const { return path_; }

  // Writable memory of the image, whole pages.
  struct Span {
    char* begin;
    size_t bytes;
  };
  const std::vector<Span>& writable() const { return writable_; }

 private:
  DriverImage() = default;
  bool InSection(uint32_t rva, size_t bytes) const;
  bool Map(const std::vector<uint8_t>& bytes, std::string* error);
  void Relocate();
  void NumberBlocks();
  bool Bind(const Resolver& resolver, std::string* error);
  bool Protect(std::string* error);

  PeFile file_;
  std::string path_;
  char* base_ = nullptr;
  int slot_ = -1;
  size_t mapped_ = 0;  // with the stubs behind the image
  std::vector<std::string> missing_;
  bool instrumented_ = false;
  uint32_t blocks_ = 0;
  std::vector<Span> writable_;
  std::vector<char> pristine_;  // the writable memory, one after another
  // What the stubs name; they hold pointers to these.
  std::vector<std::unique_ptr<PeImport>> stubbed_;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMAGE_DRIVER_IMAGE_H_
