// See cause.h.
#include "fuzzers/run/cause.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "oracle/check.h"

namespace cancelsafe {
namespace {

// The length of "FILE:LINE" at the start of the text, up to a space or the end; 0 if that
// is something else.
size_t LineLength(absl::string_view text) {
  const size_t end = std::min(text.find(' '), text.size());
  size_t digits = end;
  while (digits > 0 && absl::ascii_isdigit(text[digits - 1])) --digits;
  return digits < end && digits > 1 && text[digits - 1] == ':' ? end : 0;
}

bool IsPlainName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != ':' && c != '~') return false;
  }
  return !name.empty();
}

}  // namespace

std::vector<VerdictSite> SitesOf(const Verdict& verdict) {
  constexpr absl::string_view kIn = " in ";
  std::vector<VerdictSite> sites;
  absl::string_view rest = verdict.reason;
  for (size_t at = rest.find(kIn); at != absl::string_view::npos; at = rest.find(kIn)) {
    rest.remove_prefix(at + kIn.size());
    // The name of a function may have spaces.
    for (size_t space = rest.find(' '); space != absl::string_view::npos;
         space = rest.find(' ', space + 1)) {
      const absl::string_view line = rest.substr(space + 1);
      const size_t length = LineLength(line);
      if (length == 0) continue;
      const absl::string_view path = line.substr(0, length);
      const size_t slash = path.rfind('/');
      sites.push_back({std::string(rest.substr(0, space)),
                       std::string(path.substr(slash == absl::string_view::npos ? 0 : slash + 1))});
      rest.remove_prefix(space + 1 + length);
      break;
    }
  }
  return sites;
}

std::string CauseKey(const Verdict& verdict) {
  std::string key = VerdictKey(verdict);
  for (const VerdictSite& site : SitesOf(verdict)) absl::StrAppend(&key, " ", site.function);
  return key;
}

std::string CauseAsIgnore(const Verdict& verdict) {
  // A sanitizer may have a word of its own.
  std::string text = IgnoreSet().Add(verdict.rule) ? verdict.rule : VerdictKindName(verdict.kind);
  if (!verdict.clause.empty()) absl::StrAppend(&text, "+", verdict.clause);
  for (const VerdictSite& site : SitesOf(verdict)) {
    absl::StrAppend(&text, "+", IsPlainName(site.function) ? site.function + "()" : site.line);
  }
  return text;
}

}  // namespace cancelsafe
