// See command_lines.h.
#include "fuzzers/fleets/command_lines.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

constexpr size_t kColumns = 4;  // before the arguments

absl::Status Wrong(int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

}  // namespace

absl::StatusOr<std::vector<CommandLine>> ParseCommandLines(absl::string_view text) {
  std::vector<CommandLine> lines;
  int number = 0;
  for (const absl::string_view row : absl::StrSplit(text, '\n')) {
    ++number;
    if (row.empty() || row[0] == '#') continue;
    const std::vector<std::string> columns = absl::StrSplit(row, ' ', absl::SkipEmpty());
    if (columns.size() <= kColumns) {
      return Wrong(number, "expected NAME ENGINE SANITIZERS ENVIRONMENT ARGUMENTS...");
    }
    CommandLine line;
    line.name = columns[0];
    line.engine = columns[1];
    if (line.engine != "libfuzzer" && line.engine != "afl") {
      return Wrong(number, absl::StrCat("engine '", line.engine, "': libfuzzer or afl expected"));
    }
    line.sanitizers = absl::StrSplit(columns[2], ',');
    if (columns[3] != "-") line.environment = absl::StrSplit(columns[3], ';');
    line.arguments.assign(columns.begin() + kColumns, columns.end());
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<CommandLine> LinesFor(const std::vector<CommandLine>& lines, absl::string_view engine,
                                  absl::string_view sanitizer) {
  std::vector<CommandLine> chosen;
  for (const CommandLine& line : lines) {
    if (line.engine == engine &&
        std::count(line.sanitizers.begin(), line.sanitizers.end(), std::string(sanitizer)) != 0) {
      chosen.push_back(line);
    }
  }
  return chosen;
}

absl::StatusOr<std::vector<std::string>> Expand(const std::vector<std::string>& items,
                                                const Words& words) {
  std::vector<std::string> expanded;
  for (const std::string& item : items) {
    const size_t at = item.find('@');
    if (at == std::string::npos) {
      expanded.push_back(item);
      continue;
    }
    size_t end = at + 1;
    while (end < item.size() && islower(static_cast<unsigned char>(item[end])) != 0) ++end;
    const auto word = words.find(item.substr(at, end - at));
    if (word == words.end()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown word in '", item, "'"));
    }
    if (item == word->first) {
      expanded.insert(expanded.end(), word->second.begin(), word->second.end());
    } else if (!word->second.empty()) {
      expanded.push_back(absl::StrCat(item.substr(0, at), word->second[0], item.substr(end)));
    }
  }
  return expanded;
}

}  // namespace cancelsafe
