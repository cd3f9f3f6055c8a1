// See baseline.h.
#include "fuzzers/check/baseline.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {

std::vector<std::string> ParseBaseline(absl::string_view text) {
  std::vector<std::string> identities;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    identities.emplace_back(line);
  }
  return identities;
}

std::string PrintBaseline(std::vector<std::string> identities) {
  std::sort(identities.begin(), identities.end());
  std::string text = "# Known causes, one a line; written by cancelsafe check --write-baseline\n";
  for (const std::string& identity : identities) absl::StrAppend(&text, identity, "\n");
  return text;
}

bool BaselineDifference::same() const {
  return gone.empty() && std::find(known.begin(), known.end(), false) == known.end();
}

BaselineDifference CompareWithBaseline(const std::vector<std::string>& baseline,
                                       const std::vector<std::string>& now) {
  BaselineDifference difference;
  difference.gone = baseline;
  for (const std::string& identity : now) {
    const auto at = std::find(difference.gone.begin(), difference.gone.end(), identity);
    difference.known.push_back(at != difference.gone.end());
    if (at != difference.gone.end()) difference.gone.erase(at);
  }
  return difference;
}

}  // namespace cancelsafe
