// See checked_mix.h.
#include "fuzzers/mutants/checked_mix.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

constexpr int kOperationsMost = 6;

// A larger matching by one, along an alternating path from `cause`.
bool Place(size_t cause, const std::vector<JudgedCause>& causes, std::vector<int>* cause_of,
           std::set<size_t>* seen) {
  for (const size_t mistake : causes[cause].mistakes) {
    if (!seen->insert(mistake).second) continue;
    int& holder = (*cause_of)[mistake];
    if (holder < 0 || Place(static_cast<size_t>(holder), causes, cause_of, seen)) {
      holder = static_cast<int>(cause);
      return true;
    }
  }
  return false;
}

int Count(const CheckedMix& checked, const std::function<bool(const JudgedCause&)>& is) {
  return static_cast<int>(std::count_if(checked.causes.begin(), checked.causes.end(), is));
}

std::string Joined(const std::vector<std::string>& names) {
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

}  // namespace

void AssignMistakes(size_t mistakes, std::vector<JudgedCause>* causes) {
  std::vector<int> cause_of(mistakes, -1);
  for (size_t i = 0; i < causes->size(); ++i) {
    std::set<size_t> seen;
    Place(i, *causes, &cause_of, &seen);
  }
  for (size_t i = 0; i < mistakes; ++i) {
    if (cause_of[i] >= 0) (*causes)[static_cast<size_t>(cause_of[i])].mistake = static_cast<int>(i);
  }
}

std::vector<int> ChangedLines(const std::string& with, const std::string& without) {
  const std::vector<std::string> a = absl::StrSplit(with, '\n');
  const std::vector<std::string> b = absl::StrSplit(without, '\n');
  size_t begin = 0;
  while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) ++begin;
  size_t end = 0;
  while (end < a.size() - begin && end < b.size() - begin &&
         a[a.size() - 1 - end] == b[b.size() - 1 - end]) {
    ++end;
  }
  std::vector<int> lines;
  for (size_t i = begin; i < a.size() - end; ++i) {
    if (!a[i].empty()) lines.push_back(static_cast<int>(i) + 1);
  }
  if (lines.empty()) lines = {static_cast<int>(begin), static_cast<int>(begin) + 1};
  return lines;
}

std::string FunctionAt(const std::string& source, int line) {
  const std::vector<std::string> lines = absl::StrSplit(source, '\n');
  for (size_t i = std::min(static_cast<size_t>(line), lines.size()); i-- > 0;) {
    const std::string& text = lines[i];
    const size_t bracket = text.find('(');
    if (text.empty() || isalpha(static_cast<unsigned char>(text[0])) == 0 ||
        bracket == std::string::npos) {
      continue;
    }
    const size_t begin = text.find_last_of(" *&", bracket) + 1;
    return text.substr(begin, bracket - begin);
  }
  return "";
}

std::vector<std::string> CheckedMix::Missing() const {
  std::vector<std::string> missing;
  for (size_t i = 0; i < mix.mistakes.size(); ++i) {
    const bool has = std::any_of(causes.begin(), causes.end(), [i](const JudgedCause& cause) {
      return cause.mistake == static_cast<int>(i);
    });
    if (!has) missing.push_back(mix.mistakes[i].id);
  }
  return missing;
}

std::vector<std::string> CheckedMix::Twice() const {
  std::vector<std::string> twice;
  for (const JudgedCause& cause : causes) {
    if (cause.mistake < 0 && !cause.mistakes.empty()) {
      twice.push_back(mix.mistakes[cause.mistakes[0]].id);
    }
  }
  return twice;
}

int CheckedMix::False() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.mistakes.empty(); });
}
int CheckedMix::OperationsMost() const {
  int most = 0;
  for (const JudgedCause& cause : causes) most = std::max(most, cause.operations);
  return most;
}
int CheckedMix::ReplaysLeast() const {
  int least = causes.empty() ? 0 : causes[0].replays;
  for (const JudgedCause& cause : causes) least = std::min(least, cause.replays);
  return least;
}
int CheckedMix::ChangedLineFirst() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.changed_line == 1; });
}
int CheckedMix::ChangedLineNamed() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.changed_line > 0; });
}
int CheckedMix::WithinThree() const {
  return Count(*this, [](const JudgedCause& cause) { return cause.within_three; });
}

bool CheckedMix::AllIsWell(int replays) const {
  return complaint.empty() && Missing().empty() && Twice().empty() && False() == 0 &&
         OperationsMost() <= kOperationsMost && ReplaysLeast() == replays &&
         4 * ChangedLineNamed() >= 3 * static_cast<int>(mix.mistakes.size());
}

std::string CheckedLine(const CheckedMix& checked) {
  if (!checked.complaint.empty()) {
    return absl::StrCat("mix ", checked.mix.name, ": ", checked.complaint, "\n");
  }
  std::string text =
      absl::StrCat("mix ", checked.mix.name, ": ", checked.causes.size(), " causes of ",
                   checked.mix.mistakes.size(), " mistakes, missing: ", Joined(checked.Missing()),
                   ", twice: ", Joined(checked.Twice()), ", false: ", checked.False(), ", at most ",
                   checked.OperationsMost(), " operations, ", checked.ReplaysLeast(),
                   " replays at least, changed line first in ", checked.ChangedLineFirst(),
                   ", named in ", checked.ChangedLineNamed(), ", within three lines in ",
                   checked.WithinThree(), ", ", std::lround(checked.seconds), " s\n");
  for (const JudgedCause& cause : checked.causes) {
    std::vector<std::string> names;
    for (const size_t i : cause.mistakes) names.push_back(checked.mix.mistakes[i].id);
    absl::StrAppend(
        &text, "  ",
        cause.mistake < 0 ? "-" : checked.mix.mistakes[static_cast<size_t>(cause.mistake)].id, ": ",
        cause.title, ", ", cause.operations, " operations, ", cause.replays, " replays, line ",
        cause.changed_line == 0 ? std::string(cause.within_three ? "near" : "not named")
                                : absl::StrCat(cause.changed_line),
        names.size() > 1 ? absl::StrCat(" (of ", absl::StrJoin(names, " or "), ")") : "", "\n");
  }
  return text;
}

std::string CheckedMarkdown(const std::vector<CheckedMix>& all, const std::string& command) {
  std::string text = absl::StrCat(
      "Made by `", command,
      "`:\n\n| mix | causes | missing | twice | false | operations at most | replays at least | "
      "changed line named first | among the three named | one of the three within three lines | s "
      "|\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const CheckedMix& checked : all) {
    absl::StrAppend(&text, "| ", checked.mix.name, " | ", checked.causes.size(), " | ",
                    Joined(checked.Missing()), " | ", Joined(checked.Twice()), " | ",
                    checked.False(), " | ", checked.OperationsMost(), " | ", checked.ReplaysLeast(),
                    " | ", checked.ChangedLineFirst(), " | ", checked.ChangedLineNamed(), " | ",
                    checked.WithinThree(), " | ", std::lround(checked.seconds), " |\n");
  }
  return text;
}

}  // namespace cancelsafe
