// See reach.h.
#include "fuzzers/check/reach.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

// Where there are more ways than this to break one rule in one routine, the others show
// nothing new.
constexpr int kWaysMax = 6;

struct Letter {
  int op = 0;
  int flags = 0;
};

// The first element has the number of fibers for its op.
std::vector<Letter> LettersOf(const std::string& reach) {
  std::vector<Letter> letters;
  for (const absl::string_view word : absl::StrSplit(reach, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, '.');
    Letter letter;
    if (absl::SimpleAtoi(parts.first, &letter.op) &&
        absl::SimpleAtoi(parts.second, &letter.flags)) {
      letters.push_back(letter);
    }
  }
  return letters;
}

}  // namespace

std::string ReachOf(const Program& program) {
  std::string reach = absl::StrCat(program.fibers, ".0");
  for (int i = 0; i < program.operation_count; ++i) {
    absl::StrAppend(&reach, " ", static_cast<int>(program.operations[i].op), ".",
                    static_cast<int>(program.operations[i].flags));
  }
  return reach;
}

bool Reaches(const std::string& large, const std::string& small) {
  std::vector<Letter> has = LettersOf(large);
  const std::vector<Letter> needs = LettersOf(small);
  if (has.empty() || needs.empty() || has[0].op < needs[0].op) return false;
  has.erase(has.begin());
  // Those with more flags take first what few have.
  std::vector<Letter> wanted(needs.begin() + 1, needs.end());
  std::sort(wanted.begin(), wanted.end(),
            [](const Letter& a, const Letter& b) { return a.flags > b.flags; });
  for (const Letter& want : wanted) {
    const auto at = std::find_if(has.begin(), has.end(), [&](const Letter& one) {
      return one.op == want.op && (one.flags & want.flags) == want.flags;
    });
    if (at == has.end()) return false;
    has.erase(at);
  }
  return true;
}

void Known::Add(const std::string& key, const std::string& reach) {
  entries_.push_back({key, reach});
}

void Known::Add(const std::string& entry) {
  const size_t tab = entry.find('\t');
  if (tab == std::string::npos) {
    Add(entry, "");
  } else {
    Add(entry.substr(0, tab), entry.substr(tab + 1));
  }
}

bool Known::Has(const std::string& key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.key == key; });
}

bool Known::Explains(const std::string& key, const Program& program) const {
  int ways = 0;
  std::string reach;
  for (const Entry& entry : entries_) {
    if (entry.key != key) continue;
    if (entry.reach.empty() || ++ways == kWaysMax) return true;
    if (reach.empty()) reach = ReachOf(program);
    if (Reaches(reach, entry.reach)) return true;
  }
  return false;
}

}  // namespace cancelsafe
