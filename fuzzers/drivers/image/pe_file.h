// A PE image (x86-64 Windows) as a file: its headers, sections, relocations, imports and
// exports, read with every offset checked. Total: any bytes give a PeFile or a message.
// Nothing here maps or runs anything.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMAGE_PE_FILE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMAGE_PE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace cancelsafe::drivers {

struct PeSection {
  std::string name;
  uint32_t rva = 0;          // a multiple of the page size
  uint32_t size = 0;         // in memory, not 0
  uint32_t file_offset = 0;  // of what the file holds
  uint32_t file_size = 0;    // at most `size`; the rest is zeros
  bool executable = false;
  bool writable = false;
};

struct PeImport {
  std::string module;  // "ntoskrnl.exe"
  std::string name;
  uint32_t slot = 0;  // rva of the eight bytes that receive the address
};

struct PeExport {
  std::string name;
  uint32_t rva = 0;
};

struct PeRange {
  uint32_t rva = 0;
  uint32_t size = 0;
};

struct PeFile {
  uint64_t preferred_base = 0;
  uint32_t image_size = 0;   // in memory, in whole pages
  uint32_t header_size = 0;  // of the file, mapped at the beginning
  uint32_t entry = 0;        // rva of the entry point, 0 for none
  uint16_t subsystem = 0;    // 1 is native: a driver
  bool is_dll = false;
  std::vector<PeSection> sections;    // ascending, disjoint
  std::vector<uint32_t> relocations;  // rvas of addresses of eight bytes (DIR64)
  std::vector<PeImport> imports;
  std::vector<PeExport> exports;
  PeRange exceptions;  // the table of RUNTIME_FUNCTIONs, within one section; size 0: none
};

// Largest image that is read, in bytes in memory and in the file.
inline constexpr uint32_t kMaxImageBytes = 64u << 20;

// Reads `bytes`. On failure returns false and says in `*error` what was wrong with which
// value. O(bytes), and bounded by kMaxImageBytes whatever the headers claim.
bool ParsePe(const std::vector<uint8_t>& bytes, PeFile* file, std::string* error);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMAGE_PE_FILE_H_
