// The lexical part of the text form: what is a text byte, a token, an argument, a
// number. Knows no directive and no program.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_TOKENS_H_
#define CANCELSAFE_FUZZERS_PROGRAM_TOKENS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace cancelsafe {

using Tokens = std::vector<absl::string_view>;

// Printable ASCII, blanks, line ends, and any byte of a longer UTF-8 sequence.
bool IsTextByte(char c);

// The words of a line, split at blanks.
Tokens SplitTokens(absl::string_view line);

// "name=value", or a bare "name".
struct Argument {
  absl::string_view name;
  absl::string_view value;
  bool has_value = false;
};
Argument SplitArgument(absl::string_view token);

// Decimal, or hexadecimal after 0x; no sign, nothing else, at most 12 digits.
// Leaves an unspecified value if it returns false.
bool ParseNumber(absl::string_view text, uint64_t* value);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_TOKENS_H_
