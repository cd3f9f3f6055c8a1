#include "fuzzers/program/words.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

constexpr size_t kLongestWord = 32;

// Insertions, deletions, replacements and swaps of neighbours.
int EditDistance(absl::string_view a, absl::string_view b) {
  int rows[3][kLongestWord + 1];
  int* before = rows[0];
  int* above = rows[1];
  int* row = rows[2];
  for (size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    int* free = before;
    before = above;
    above = row;
    row = free;
  }
  return above[b.size()];
}

}  // namespace

int FindWord(absl::string_view word, absl::Span<const char* const> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (word == words[i]) return static_cast<int>(i);
  }
  return -1;
}

std::string DidYouMean(absl::string_view word, absl::Span<const char* const> words) {
  if (word.empty() || word.size() > kLongestWord) return "";
  int best_distance = 1 + static_cast<int>(word.size()) / 3;
  const char* best = nullptr;
  for (const char* candidate : words) {
    if (absl::string_view(candidate).size() > kLongestWord) continue;
    const int distance = EditDistance(word, candidate);
    if (distance > best_distance || (distance == best_distance && best != nullptr)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best == nullptr ? "" : absl::StrCat("did you mean '", best, "'? ");
}

std::string Quoted(absl::string_view word) {
  constexpr size_t kLongestQuote = 40;
  const bool cut = word.size() > kLongestQuote;
  return absl::StrCat("'", absl::CHexEscape(word.substr(0, kLongestQuote)), cut ? "...'" : "'");
}

}  // namespace cancelsafe
