// The table of command_lines.txt: how fleets start a fuzz target.
#ifndef CANCELSAFE_FUZZERS_FLEETS_COMMAND_LINES_H_
#define CANCELSAFE_FUZZERS_FLEETS_COMMAND_LINES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace cancelsafe {

struct CommandLine {
  std::string name;
  std::string engine;
  std::vector<std::string> sanitizers;
  std::vector<std::string> environment;  // NAME=VALUE, or @fleet
  std::vector<std::string> arguments;
};

// What stands for the words that begin with "@": one argument, or several.
using Words = std::map<std::string, std::vector<std::string>>;

// The error names the line and what is wrong with it.
absl::StatusOr<std::vector<CommandLine>> ParseCommandLines(absl::string_view text);

// The lines of one combination, in order.
std::vector<CommandLine> LinesFor(const std::vector<CommandLine>& lines, absl::string_view engine,
                                  absl::string_view sanitizer);

// `items` with each "@word" replaced: an item that is nothing else by all that the word
// stands for, a word inside an item by the first of it. Unknown words are an error.
absl::StatusOr<std::vector<std::string>> Expand(const std::vector<std::string>& items,
                                                const Words& words);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_FLEETS_COMMAND_LINES_H_
