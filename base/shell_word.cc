// See shell_word.h.
#include "base/shell_word.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace cancelsafe {
namespace {

bool IsPlain(char c) {
  constexpr absl::string_view kOthers = "%+,-./:=@_";
  return absl::ascii_isalnum(c) || kOthers.find(c) != absl::string_view::npos;
}

}  // namespace

std::string ShellWord(absl::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), &IsPlain)) return std::string(word);
  if (std::all_of(word.begin(), word.end(), [](char c) { return absl::ascii_isprint(c); })) {
    return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
  }
  // Octal, always three digits: what follows cannot be taken for a part of it.
  return absl::StrCat("$'", absl::CEscape(word), "'");
}

}  // namespace cancelsafe
