// See place_lines.h.
#include "fuzzers/check/place_lines.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/process.h"
#include "fuzzers/check/exchange.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 60;

}  // namespace

PlaceLines FindPlaceLines(const std::string& shared_object, const std::set<uint64_t>& places) {
  PlaceLines lines;
  if (places.empty()) return lines;
  std::vector<std::string> words = {"llvm-symbolizer-19", "--inlines", "--demangle",
                                    "--output-style=LLVM", absl::StrCat("--obj=", shared_object)};
  const uint64_t begin = CodeBegin(shared_object);
  for (const uint64_t place : places) words.push_back(absl::StrCat("0x", absl::Hex(begin + place)));
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      words, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok() || !end->status.clean()) return lines;
  // For each: a function and "file:line:column", and those that it is inlined into; then an
  // empty line.
  const std::vector<std::string> read = absl::StrSplit(output, '\n');
  size_t at = 0;
  for (const uint64_t place : places) {
    for (; at + 1 < read.size() && !read[at].empty(); at += 2) {
      const std::string where = read[at + 1].substr(0, read[at + 1].rfind(':'));
      SourceLine line = ParseSourceLine(absl::StrCat(read[at], " ", where));
      // The documented headers are not what is checked.
      if (!line.known() || absl::StrContains(line.file, "impl/include/")) continue;
      lines.emplace(place, std::move(line));
    }
    ++at;
  }
  return lines;
}

}  // namespace cancelsafe
