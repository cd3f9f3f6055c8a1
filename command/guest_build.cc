// See guest_build.h.
#include "command/guest_build.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/elf.h"
#include "command/status.h"

namespace cancelsafe {

namespace {

std::string WhyBuildCannotLoad(const std::string& path, const std::string& guest,
                               const std::string& sanitizer) {
  return absl::StrCat(path, " was compiled with -fsanitize=", guest,
                      ", which the build without it cannot load (--sanitizer ", sanitizer,
                      "): use --sanitizer ", guest, ", or compile it ",
                      sanitizer == "none"    ? "without that flag"
                      : sanitizer == "model" ? "with -fsanitize=thread"
                                             : absl::StrCat("with -fsanitize=", sanitizer));
}

}  // namespace

std::string GuestSanitizer(const std::string& path) {
  const absl::StatusOr<Elf> elf = Elf::Read(path);
  if (!elf.ok()) return "";
  std::string sanitizer;
  for (const ElfSymbol& symbol : SymbolsOf(*elf, SHT_DYNSYM)) {
    if (symbol.defined) continue;
    if (absl::StartsWith(symbol.name, "__tsan_")) return "thread";
    if (absl::StartsWith(symbol.name, "__asan_") || absl::StartsWith(symbol.name, "__ubsan_")) {
      sanitizer = "address";
    }
  }
  return sanitizer;
}

bool BuildLoads(const std::string& sanitizer, const std::string& guest_sanitizer) {
  return guest_sanitizer.empty() || sanitizer == guest_sanitizer ||
         (sanitizer == "model" && guest_sanitizer == "thread");
}

std::string BuildForGuest(const std::string& path, const std::string& asked,
                          const std::string& preferred) {
  const std::string guest = path.empty() ? "" : GuestSanitizer(path);
  if (!asked.empty()) {
    if (!BuildLoads(asked, guest)) throw UsageError(WhyBuildCannotLoad(path, guest, asked));
    return asked;
  }
  return BuildLoads(preferred, guest) ? preferred : guest;
}

}  // namespace cancelsafe
