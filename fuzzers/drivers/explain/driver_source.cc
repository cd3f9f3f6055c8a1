// See driver_source.h.
#include "fuzzers/drivers/explain/driver_source.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/process.h"

namespace cancelsafe::drivers {
namespace {

constexpr double kSecondsMax = 20;

std::string Symbolized(const std::string& file, uint64_t address) {
  for (const char* program :
       {"llvm-symbolizer-19", "llvm-symbolizer", "/usr/lib/llvm-19/bin/llvm-symbolizer"}) {
    std::string text;
    const absl::StatusOr<ChildEnd> end = RunProcess(
        {program, absl::StrCat("--obj=", file), absl::StrCat("0x", absl::Hex(address))},
        kSecondsMax, [&text](absl::string_view piece) { absl::StrAppend(&text, piece); });
    if (end.ok() && end->status.clean() && !text.empty()) return text;
  }
  return "";
}

}  // namespace

std::string PlaceInSource(const DriverImage& image, uintptr_t site) {
  if (!image.IsExecutable(reinterpret_cast<const void*>(site))) return "";
  // A return address is behind the call, perhaps in the next line.
  const std::vector<std::string> lines = absl::StrSplit(
      Symbolized(image.path(), image.LinkedAddress(reinterpret_cast<const void*>(site - 1))), '\n',
      absl::SkipEmpty());
  // Pairs of function and place, what was inlined first: inlines of the DDK do not say where
  // the driver is.
  size_t at = 0;
  while (at + 3 < lines.size() && (absl::StrContains(lines[at + 1], "/mingw-w64/include/") ||
                                   absl::StrContains(lines[at + 1], "/impl/include/"))) {
    at += 2;
  }
  if (at + 1 >= lines.size() || lines[at][0] == '?') return "";
  const std::string& function = lines[at];
  const std::string& full = lines[at + 1];
  std::string place = full.substr(full.rfind('/') + 1);
  place.resize(std::min(place.size(), place.rfind(':')));  // without the column
  if (place.empty() || place[0] == '?') return function;
  return absl::StrCat(function, " at ", place);
}

}  // namespace cancelsafe::drivers
