// See test_text.h.
#include "fuzzers/explain/test_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {

std::string CamelCase(absl::string_view text) {
  std::string name;
  bool upper = true;
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      upper = true;
      continue;
    }
    name += upper ? absl::ascii_toupper(static_cast<unsigned char>(c))
                  : absl::ascii_tolower(static_cast<unsigned char>(c));
    upper = false;
  }
  return name;
}

void AddComment(absl::string_view text, std::string* out) {
  for (absl::string_view line : absl::StrSplit(absl::StripTrailingAsciiWhitespace(text), '\n')) {
    // A backslash at the end would take the next line into the comment.
    line = absl::StripTrailingAsciiWhitespace(line);
    while (absl::EndsWith(line, "\\")) line.remove_suffix(1);
    absl::StrAppend(out, line.empty() ? "//" : "// ", line, "\n");
  }
}

}  // namespace cancelsafe
