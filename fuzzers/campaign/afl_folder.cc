// See afl_folder.h.
#include "fuzzers/campaign/afl_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/files.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

template <typename Visit>
void ForEachInput(const std::string& instance, const std::string& part, const Visit& visit) {
  std::error_code error;
  for (fs::directory_iterator it(absl::StrCat(instance, "/", part), error), end;
       !error && it != end; it.increment(error)) {
    // Others are the engine's notes about them.
    if (absl::StartsWith(it->path().filename().string(), "id:")) visit(it->path().string());
  }
}

}  // namespace

std::vector<std::string> AflInputs(const std::string& instance, const std::string& part) {
  std::vector<std::string> inputs;
  ForEachInput(instance, part, [&](std::string path) { inputs.push_back(std::move(path)); });
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

int CountAflInputs(const std::string& instance, const std::string& part) {
  int count = 0;
  ForEachInput(instance, part, [&](const std::string&) { ++count; });
  return count;
}

bool IsOwnFind(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return !absl::StrContains(name, ",orig:") && !absl::StrContains(name, ",sync:");
}

std::string SignalOf(const std::string& path) {
  const size_t at = path.rfind(",sig:");
  if (at == std::string::npos) return "";
  const size_t begin = at + 5;
  return path.substr(begin, path.find(',', begin) - begin);
}

std::string FuzzerStat(const std::string& instance, const std::string& name) {
  for (const absl::string_view text :
       absl::StrSplit(ReadFile(instance + "/fuzzer_stats").value_or(""), '\n')) {
    const size_t colon = text.find(':');
    if (colon == absl::string_view::npos) continue;
    if (absl::StripAsciiWhitespace(text.substr(0, colon)) != name) continue;
    return std::string(absl::StripAsciiWhitespace(text.substr(colon + 1)));
  }
  return "";
}

}  // namespace cancelsafe
