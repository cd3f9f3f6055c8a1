#include "fuzzers/program/tokens.h"

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace cancelsafe {

bool IsTextByte(char c) {
  const uint8_t byte = static_cast<uint8_t>(c);
  return byte >= 0x20 ? byte != 0x7f : (c == '\t' || c == '\n' || c == '\r');
}

Tokens SplitTokens(absl::string_view line) {
  return absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
}

Argument SplitArgument(absl::string_view token) {
  const size_t equals = token.find('=');
  if (equals == absl::string_view::npos) return {token, "", false};
  return {token.substr(0, equals), token.substr(equals + 1), true};
}

bool ParseNumber(absl::string_view text, uint64_t* value) {
  const bool hexadecimal = absl::ConsumePrefix(&text, "0x");
  if (text.empty() || text.size() > 12) return false;
  *value = 0;
  for (const char c : text) {
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (hexadecimal && c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (hexadecimal && c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return false;
    *value = *value * (hexadecimal ? 16 : 10) + static_cast<uint64_t>(digit);
  }
  return true;
}

}  // namespace cancelsafe
