// See exchange.h.
#include "fuzzers/check/exchange.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/elf.h"
#include "base/files.h"
#include "base/hash.h"
#include "fuzzers/check/variants.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// Compiles every source of the reference implementation into `folder`. The object that defines
// a routine, by the name of the routine.
absl::StatusOr<std::map<std::string, std::string>> CompileReference(const std::string& variant,
                                                                    const std::string& reference,
                                                                    const std::string& headers,
                                                                    const std::string& folder) {
  std::map<std::string, std::string> definer;
  for (const std::string& source : FilesIn(reference)) {
    if (!absl::EndsWith(source, ".cc")) continue;
    const std::string object = absl::StrCat(folder, "/", BaseName(source), ".o");
    std::vector<std::string> compile = {"clang++-19", "-std=c++17",    "-c", "-fPIC",
                                        "-w",         kCallsStayCalls, "-I", headers};
    // A trace of blocks is for what is checked.
    const std::vector<std::string> flags =
        variant == "traced"
            ? std::vector<std::string>{"-O0", "-fno-omit-frame-pointer",
                                       "-fsanitize-coverage=func,trace-loads,trace-stores"}
            : VariantFlags(variant);
    compile.insert(compile.end(), flags.begin(), flags.end());
    compile.insert(compile.end(), {source, "-o", object});
    const absl::Status status = RunCompiler(compile);
    if (!status.ok()) return status;
    const absl::StatusOr<Elf> elf = Elf::Read(object);
    if (!elf.ok()) return elf.status();
    for (const ElfSymbol& symbol : SymbolsOf(*elf, SHT_SYMTAB)) {
      if (symbol.defined && symbol.function) definer[symbol.name] = object;
    }
  }
  return definer;
}

// A copy of the object in which all of `weak` give way to definitions elsewhere.
absl::Status Weaken(const std::string& object, const std::vector<std::string>& weak,
                    const std::string& copy) {
  std::vector<std::string> command = {"llvm-objcopy-19"};
  for (const std::string& name : weak) command.push_back("--weaken-symbol=" + name);
  command.insert(command.end(), {object, copy});
  return RunCompiler(command);
}

// The section of its code; zeros if there is none.
Elf64_Shdr TextOf(const std::string& shared_object) {
  const absl::StatusOr<Elf> elf = Elf::Read(shared_object);
  if (!elf.ok()) return {};
  const std::vector<Elf64_Shdr> sections = elf->Sections();
  if (elf->section_names() >= sections.size()) return {};
  for (const Elf64_Shdr& section : sections) {
    if (elf->String(sections[elf->section_names()], section.sh_name) == ".text") return section;
  }
  return {};
}

}  // namespace

absl::StatusOr<ExchangePlan> PrepareExchange(const std::string& variant,
                                             const std::vector<std::string>& objects,
                                             const std::vector<std::string>& routines,
                                             const std::string& reference,
                                             const std::string& headers,
                                             const std::string& folder) {
  ExchangePlan plan{variant, folder, {}, {}};
  std::error_code error;
  if (!fs::is_directory(reference, error)) return plan;
  plan.objects = objects;
  // What was linked with other sources is not for these.
  fs::remove_all(folder, error);
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  const absl::StatusOr<std::map<std::string, std::string>> definer =
      CompileReference(variant, reference, headers, folder);
  if (!definer.ok()) return definer.status();
  for (const std::string& routine : routines) {
    const auto defined = definer->find(routine);
    if (defined == definer->end()) continue;
    std::vector<std::string> others;
    for (const auto& [name, object] : *definer) {
      if (object == defined->second && name != routine) others.push_back(name);
    }
    const absl::Status status =
        Weaken(defined->second, others, absl::StrCat(folder, "/", routine, ".o"));
    if (!status.ok()) return status;
    plan.routines.push_back(routine);
  }
  for (std::string& object : plan.objects) {
    const std::string copy = absl::StrCat(folder, "/", BaseName(object));
    const absl::Status status = Weaken(object, plan.routines, copy);
    if (!status.ok()) return status;
    object = copy;
  }
  return plan;
}

uint64_t CodeBegin(const std::string& shared_object) { return TextOf(shared_object).sh_addr; }

uint64_t CodeSize(const std::string& shared_object) { return TextOf(shared_object).sh_size; }

std::set<std::string> Exchanges::Known(const std::vector<std::string>& routines) const {
  std::set<std::string> known;
  for (const std::string& routine : plan_.routines) {
    if (std::find(routines.begin(), routines.end(), routine) != routines.end()) {
      known.insert(routine);
    }
  }
  return known;
}

std::set<std::string> Exchanges::AllBut(const std::set<std::string>& routines) const {
  std::set<std::string> all(plan_.routines.begin(), plan_.routines.end());
  for (const std::string& routine : routines) all.erase(routine);
  return all;
}

const Exchanges::Loaded* Exchanges::With(const std::set<std::string>& routines) {
  if (routines.empty()) return nullptr;
  const auto at = loaded_.find(routines);
  if (at != loaded_.end()) return at->second.get();
  return loaded_.emplace(routines, Load(routines)).first->second.get();
}

std::string Exchanges::Link(const std::set<std::string>& routines) const {
  if (routines.empty()) return "";
  const std::string path =
      absl::StrCat(plan_.folder, "/", absl::Hex(HashText64(absl::StrJoin(routines, " "))), ".so");
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  // Other parts may be at the same.
  const std::string own = absl::StrCat(path, ".", getpid());
  std::vector<std::string> link = {"clang++-19", "-shared", "-fPIC", "-fuse-ld=lld"};
  for (const std::string& flag : LinkFlags(plan_.variant)) link.push_back(flag);
  link.insert(link.end(), plan_.objects.begin(), plan_.objects.end());
  for (const std::string& routine : routines) {
    link.push_back(absl::StrCat(plan_.folder, "/", routine, ".o"));
  }
  link.insert(link.end(), {"-o", own});
  if (!RunCompiler(link).ok()) return "";
  fs::rename(own, path, error);
  return error ? "" : path;
}

std::unique_ptr<Exchanges::Loaded> Exchanges::Load(const std::set<std::string>& routines) const {
  auto loaded = std::make_unique<Loaded>();
  loaded->path = Link(routines);
  std::string complaint;
  if (loaded->path.empty() ||
      !LoadImplementation(loaded->path, &loaded->implementation, &complaint)) {
    return nullptr;
  }
  loaded->code_begin = CodeBegin(loaded->path);
  return loaded;
}

}  // namespace cancelsafe
