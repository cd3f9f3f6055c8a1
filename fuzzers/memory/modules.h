// The loaded modules whose code calls the hooks: their variables are shared memory, and
// sites are addresses in them.
#ifndef CANCELSAFE_FUZZERS_MEMORY_MODULES_H_
#define CANCELSAFE_FUZZERS_MEMORY_MODULES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cancelsafe::memory {

// One loaded module, or its writable part.
struct Module {
  uintptr_t begin = 0;  // of all that is mapped
  uintptr_t end = 0;
  uintptr_t load_address = 0;  // what addresses in its file are relative to
  uintptr_t data_begin = 0;    // of its variables
  uintptr_t data_end = 0;
  char path[256] = "";
  // The file's own compiler put routines of headers into its code: look through them.
  bool has_inlines = false;
};

// A module that was loaded by other means than the system's (a PE image): from now on sites may
// lie in it. At most kMaxForeignModules at a time; more are not known.
inline constexpr int kMaxForeignModules = 8;
void AddModule(const Module& module);
void RemoveModule(uintptr_t begin);

// The module that an address lies in; false if in none.
bool FindModule(uintptr_t address, Module* module);

// The address of which `site` is the low half, in any module; 0 if there is none.
uintptr_t AddressOf(uint32_t site);

// "Function file:line", with the path below the source tree, or "0x1234 in module" where
// there is no debug information or no symbolizer (llvm-symbolizer, llvm-symbolizer-19).
// Slow; remembers what it has found. The line is the same in every process.
std::string DescribeSite(uint32_t site);

// Likewise for a whole return address: of two modules whose low halves are the same, the right one.
std::string DescribeReturn(uintptr_t address);

// Makes what DescribeReturn says of these addresses known, with one symbolizer for each module
// instead of one for each address; 0 is left out.
void LookUpReturns(const std::vector<uintptr_t>& addresses);

// Likewise for the code at a whole address, within the innermost function that was inlined
// there.
std::string DescribeCode(uintptr_t address);
// Makes what DescribeCode says of these addresses known, likewise.
void LookUpCode(const std::vector<uintptr_t>& addresses);

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_MODULES_H_
