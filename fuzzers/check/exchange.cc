// See exchange.h.
#include "fuzzers/check/exchange.h"

#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/elf.h"
#include "base/files.h"
#include "fuzzers/check/variants.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// Compiles every source of the reference implementation into `folder`. The object that defines
// a routine, by the name of the routine.
absl::StatusOr<std::map<std::string, std::string>> CompileReference(const std::string& reference,
                                                                    const std::string& headers,
                                                                    const std::string& folder) {
  std::map<std::string, std::string> definer;
  for (const std::string& source : FilesIn(reference)) {
    if (!absl::EndsWith(source, ".cc")) continue;
    const std::string object = absl::StrCat(folder, "/", BaseName(source), ".o");
    const absl::Status status = RunCompiler({"clang++-19", "-std=c++17", "-c", "-O0", "-fPIC", "-w",
                                             "-I", headers, source, "-o", object});
    if (!status.ok()) return status;
    const absl::StatusOr<Elf> elf = Elf::Read(object);
    if (!elf.ok()) return elf.status();
    for (const ElfSymbol& symbol : SymbolsOf(*elf, SHT_SYMTAB)) {
      if (symbol.defined && symbol.function) definer[symbol.name] = object;
    }
  }
  return definer;
}

}  // namespace

absl::StatusOr<Exchanged> BuildExchanged(const std::vector<std::string>& objects,
                                         const std::vector<std::string>& routines,
                                         const std::string& reference, const std::string& headers,
                                         const std::string& folder) {
  Exchanged exchanged;
  std::error_code error;
  if (!fs::is_directory(reference, error)) return exchanged;
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  const absl::StatusOr<std::map<std::string, std::string>> definer =
      CompileReference(reference, headers, folder);
  if (!definer.ok()) return definer.status();
  for (const std::string& routine : routines) {
    const auto defined = definer->find(routine);
    if (defined == definer->end()) continue;
    const std::string object = absl::StrCat(folder, "/", routine, ".o");
    const std::string path = absl::StrCat(folder, "/", routine, ".so");
    absl::Status status =
        RunCompiler({"llvm-objcopy-19", absl::StrCat("--keep-global-symbol=", routine),
                     defined->second, object});
    if (!status.ok()) return status;
    // Of two definitions the first one counts.
    std::vector<std::string> link = {"clang++-19", "-shared", "-fPIC", "-Wl,-z,muldefs", object};
    for (const std::string& flag : LinkFlags("traced")) link.push_back(flag);
    link.insert(link.end(), objects.begin(), objects.end());
    link.insert(link.end(), {"-o", path});
    status = RunCompiler(link);
    if (!status.ok()) return status;
    exchanged[routine] = path;
  }
  return exchanged;
}

}  // namespace cancelsafe
