// See ignored.h.
#include "fuzzers/tools/ignored.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "command/guest_flags.h"
#include "command/status.h"
#ifdef CANCELSAFE_CATALOGUE
#include "conformance/report/catalogue.h"
#endif

namespace cancelsafe {
namespace {

#ifdef CANCELSAFE_CATALOGUE
// "CSQ-INSERT-06": no rule, kind of verdict or function is spelt like this.
bool IsClauseId(absl::string_view text) {
  return absl::StrContains(text, '-') && absl::ascii_isupper(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c == '-' || absl::ascii_isupper(c) || absl::ascii_isdigit(c);
         });
}

void CheckClauses(const std::string& entry) {
  for (const absl::string_view part : absl::StrSplit(entry, '+')) {
    if (IsClauseId(part) && conformance::FindClause(std::string(part)) == nullptr) {
      throw UsageError(absl::StrCat("--ignore: there is no clause ", part,
                                    "; cancelsafe conform --list names them"));
    }
  }
}
#else
void CheckClauses(const std::string&) {}
#endif

}  // namespace

IgnoreSet IgnoreSetOf(const std::vector<std::string>& entries) {
  IgnoreSet ignore;
  for (const std::string& entry : entries) {
    if (!ignore.Add(entry)) {
      throw UsageError(absl::StrCat("--ignore: '", entry, "' ", kIgnoreAllowed));
    }
    CheckClauses(entry);
  }
  return ignore;
}

}  // namespace cancelsafe
