// See guest_points.h.
#include "guest_points.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/elf.h"
#include "entry_points.h"
#include "image_format.h"

namespace cancelsafe {
namespace {

constexpr size_t kNamesShown = 5;

bool IsAccessHook(const std::string& name) {
  return absl::StartsWith(name, "__sanitizer_cov_load") ||
         absl::StartsWith(name, "__sanitizer_cov_store");
}

// Kernel services, and routines of the C library, at which the schedule does not switch.
// Every other routine of the host counts as a preemption point.
bool IsPointless(const std::string& name, bool access_points) {
  if (IsAccessHook(name)) return !access_points;
  static const std::set<std::string> names = {
      "KeGetCurrentIrql",
      "KeInitializeSpinLock",
      "ExInitializeFastMutex",
      "KeEnterCriticalRegion",
      "KeLeaveCriticalRegion",
      "DbgPrint",
      "DbgPrintEx",
      "DbgBreakPoint",
      "RtlAssert",
      "KeBugCheck",
      "KeBugCheckEx",
      "CancelsafeShareCancelLock",
      "IoAllocateIrp",
      "CancelsafeIrpOfCallbackData",
      "__stack_chk_fail",
      "__cxa_finalize",
      "CancelsafeCallbackDataOfIrp",
      "CancelsafeDeviceQueueListMax",
      "__tsan_func_entry",
      "__tsan_func_exit",
      "__tsan_init",
  };
  return names.count(name) != 0 || absl::StartsWith(name, "mem") ||
         absl::StartsWith(name, "ExAllocatePool") || absl::StartsWith(name, "ExFreePool") ||
         absl::StartsWith(name, "__asan") || absl::StartsWith(name, "__ubsan") ||
         absl::StartsWith(name, "__sanitizer_cov_trace_pc") ||
         absl::StartsWith(name, "__sanitizer_cov_8bit") ||
         absl::StartsWith(name, "__sanitizer_cov_pcs");
}

std::set<std::string> DocumentedRoutines() {
  return {
#define CANCELSAFE_ROUTINE_NAME(type, name, parameters) #name,
      CANCELSAFE_ENTRY_POINTS(CANCELSAFE_ROUTINE_NAME)
#undef CANCELSAFE_ROUTINE_NAME
  };
}

struct Code {
  uint64_t address;
  std::vector<uint8_t> bytes;
};

class CallGraph {
 public:
  CallGraph(const Elf& elf, bool access_points)
      : access_points_(access_points), sections_(elf.Sections()) {
    for (const uint32_t table : {SHT_DYNSYM, SHT_SYMTAB}) {
      for (const ElfSymbol& symbol : SymbolsOf(elf, table)) {
        if (symbol.defined && symbol.function) sizes_[symbol.address] = symbol.size;
        if (symbol.defined && symbol.function && table == SHT_DYNSYM) {
          exported_[symbol.name] = symbol.address;
        }
      }
    }
    ReadSlots(elf);
    for (const Elf64_Shdr& section : sections_) {
      if ((section.sh_flags & SHF_EXECINSTR) == 0 || section.sh_type != SHT_PROGBITS) continue;
      code_.push_back({section.sh_addr, elf.Rows<uint8_t>(section)});
    }
    ReadStubs();
  }

  const std::map<std::string, uint64_t>& exported() const { return exported_; }

  // Whether a run of the function may pass a preemption point.
  bool MayHavePoint(uint64_t function) {
    if (!seen_.insert(function).second) return false;
    const std::vector<uint8_t> bytes = BytesOf(function);
    if (bytes.empty()) return true;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const uint64_t next = function + i;
      const auto distance = [&](size_t at) {
        int32_t value = 0;
        if (at + sizeof value <= bytes.size()) memcpy(&value, &bytes[at], sizeof value);
        return static_cast<uint64_t>(int64_t{value});
      };
      // call and jump to a relative target; bytes that only look so meet no function.
      if (bytes[i] == 0xe8 || bytes[i] == 0xe9) {
        if (MayTargetHavePoint(next + 5 + distance(i + 1))) return true;
      } else if (bytes[i] == 0xff && i + 1 < bytes.size()) {
        const uint8_t form = bytes[i + 1];
        if (form == 0x15 || form == 0x25) {
          const auto slot = slots_.find(next + 6 + distance(i + 2));
          if (slot != slots_.end() && MayImportHavePoint(slot->second)) return true;
        } else if ((form & 0x38) == 0x10) {
          return true;  // call through a register or memory: most often a callback
        }
      }
    }
    return false;
  }
  void Restart() { seen_.clear(); }

 private:
  // Which symbol each slot of the global offset table is filled with.
  void ReadSlots(const Elf& elf) {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_RELA || section.sh_link >= sections_.size()) continue;
      if (sections_[section.sh_link].sh_type != SHT_DYNSYM) continue;
      const Elf64_Shdr& symbols = sections_[section.sh_link];
      if (symbols.sh_link >= sections_.size()) continue;
      const std::vector<Elf64_Sym> rows = elf.Rows<Elf64_Sym>(symbols);
      for (const Elf64_Rela& entry : elf.Rows<Elf64_Rela>(section)) {
        const uint64_t type = ELF64_R_TYPE(entry.r_info);
        const uint64_t symbol = ELF64_R_SYM(entry.r_info);
        if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) || symbol >= rows.size()) {
          continue;
        }
        slots_[entry.r_offset] = elf.String(sections_[symbols.sh_link], rows[symbol].st_name);
      }
    }
  }

  // The stubs through which calls of imported functions go: a jump by way of a slot, which
  // may have an endbr64 in front.
  void ReadStubs() {
    for (const Code& code : code_) {
      for (size_t i = 0; i + 6 <= code.bytes.size(); ++i) {
        if (code.bytes[i] != 0xff || code.bytes[i + 1] != 0x25) continue;
        int32_t distance;
        memcpy(&distance, &code.bytes[i + 2], sizeof distance);
        const uint64_t address = code.address + i;
        const auto slot = slots_.find(address + 6 + static_cast<uint64_t>(int64_t{distance}));
        if (slot == slots_.end()) continue;
        stubs_[address] = stubs_[address - 4] = stubs_[address - 5] = slot->second;
      }
    }
  }

  std::vector<uint8_t> BytesOf(uint64_t function) const {
    const auto size = sizes_.find(function);
    if (size == sizes_.end()) return {};
    for (const Code& code : code_) {
      if (function < code.address || function - code.address >= code.bytes.size()) continue;
      const auto first = code.bytes.begin() + static_cast<long>(function - code.address);
      const uint64_t left = static_cast<uint64_t>(code.bytes.end() - first);
      return {first, first + static_cast<long>(std::min(size->second, left))};
    }
    return {};
  }

  bool MayTargetHavePoint(uint64_t target) {
    const auto stub = stubs_.find(target);
    if (stub != stubs_.end()) return MayImportHavePoint(stub->second);
    return sizes_.count(target) != 0 && MayHavePoint(target);
  }

  bool MayImportHavePoint(const std::string& name) {
    const auto own = exported_.find(name);
    return own != exported_.end() ? MayHavePoint(own->second) : !IsPointless(name, access_points_);
  }

  const bool access_points_;
  const std::vector<Elf64_Shdr> sections_;
  std::map<uint64_t, uint64_t> sizes_;  // of functions, by address
  std::map<std::string, uint64_t> exported_;
  std::map<uint64_t, std::string> slots_;
  std::map<uint64_t, std::string> stubs_;
  std::vector<Code> code_;
  std::set<uint64_t> seen_;
};

}  // namespace

GuestPoints FindGuestPoints(const std::string& path, bool access_points,
                            const std::set<std::string>& called) {
  GuestPoints points;
  const absl::StatusOr<Elf> elf = Elf::Read(path);
  if (!elf.ok()) return points;
  CallGraph graph(*elf, access_points);
  const std::set<std::string> documented = called.empty() ? DocumentedRoutines() : called;
  for (const auto& [name, address] : graph.exported()) {
    // Nothing runs beside the initialisation of a queue.
    if (documented.count(name) == 0 || absl::StrContains(name, "Initialize")) continue;
    ++points.routines;
    graph.Restart();
    if (!graph.MayHavePoint(address)) points.without.push_back(name);
  }
  return points;
}

std::string DescribeGuestPoints(const std::string& path, bool access_points,
                                const std::set<std::string>& called) {
  if (IsImageFile(path) && TheImageFormat() != nullptr) {
    const std::string remarks = TheImageFormat()->remarks(path);
    return remarks.empty() ? "" : absl::StrCat(path, ": ", remarks);
  }
  const GuestPoints points = FindGuestPoints(path, access_points, called);
  const size_t count = points.without.size();
  if (count == 0) return "";
  std::vector<std::string> shown(
      points.without.begin(),
      points.without.begin() + static_cast<long>(std::min(count, kNamesShown)));
  if (count > kNamesShown) shown.push_back("...");
  return absl::StrCat(path, ": ", count, " of ", points.routines,
                      points.routines == 1 ? " routine has" : " routines have",
                      " no preemption point (", absl::StrJoin(shown, ", "),
                      "), so no schedule switches inside; build it with "
                      "-fsanitize-coverage=func,trace-loads,trace-stores and give --points all");
}

void WarnOfRoutinesWithoutPoints(const std::string& path, bool access_points,
                                 const std::set<std::string>& called) {
  const std::string warning = DescribeGuestPoints(path, access_points, called);
  if (!warning.empty()) fprintf(stderr, "Warning: %s.\n", warning.c_str());
}

}  // namespace cancelsafe
