// See suggest.h.
#include "command/suggest.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "command/status.h"

namespace cancelsafe {
namespace {

char Folded(char c) { return c == '_' ? '-' : c; }

// Optimal string alignment: no part is edited twice.
int Distance(const std::string& a, const std::string& b) {
  const size_t width = b.size() + 1;
  std::vector<int> cells((a.size() + 1) * width);
  const auto cell = [&](size_t i, size_t j) -> int& { return cells[i * width + j]; };
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cell(i, j) = static_cast<int>(i + j);
        continue;
      }
      const bool same = Folded(a[i - 1]) == Folded(b[j - 1]);
      int best = cell(i - 1, j - 1) + (same ? 0 : 1);
      best = std::min({best, cell(i - 1, j) + 1, cell(i, j - 1) + 1});
      if (i > 1 && j > 1 && Folded(a[i - 1]) == Folded(b[j - 2]) &&
          Folded(a[i - 2]) == Folded(b[j - 1])) {
        best = std::min(best, cell(i - 2, j - 2) + 1);
      }
      cell(i, j) = best;
    }
  }
  return cell(a.size(), b.size());
}

}  // namespace

std::string NearestName(const std::string& word, const std::vector<std::string>& names) {
  std::string nearest;
  int best = 0;
  for (const std::string& name : names) {
    // A third of the letters may be wrong; a beginning of two letters counts as near.
    int distance = Distance(word, name);
    const int allowed = std::max<int>(1, static_cast<int>(name.size()) / 3);
    if (distance > allowed) {
      if (word.size() < 2 || !absl::StartsWith(name, word)) continue;
      distance = allowed;
    }
    if (nearest.empty() || distance < best) {
      nearest = name;
      best = distance;
    }
  }
  return nearest;
}

std::string DidYouMean(const std::string& word, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(word, names);
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?");
}

void CheckWord(const std::string& what, const std::string& word,
               const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), word) != names.end()) return;
  throw UsageError(absl::StrCat("unknown ", what, " '", word, "'", DidYouMean(word, names),
                                "; the ", what, "s are ", absl::StrJoin(names, ", ")));
}

}  // namespace cancelsafe
