// See stale_text.h.
#include "fuzzers/program/stale_text.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/words.h"

namespace cancelsafe {

using schedule::kMaxStaleChoices;
using schedule::kMaxStaleIndex;
using schedule::kStaleKindNames;
using schedule::MemoryModel;

std::string ReadStaleChoices(const Tokens& tokens, schedule::Schedule* schedule) {
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (schedule->stale_count == kMaxStaleChoices) {
      return absl::StrCat("too many stale choices; at most ", kMaxStaleChoices, " are allowed");
    }
    const std::vector<absl::string_view> parts = absl::StrSplit(tokens[i], ':');
    uint64_t number = 0;
    uint64_t index = 0;
    uint64_t alternatives = 0;
    bool well = parts.size() == 3 && ParseNumber(parts[0], &number) && number <= 0xffff;
    const int kind = well ? FindWord(parts[1], kStaleKindNames) : -1;
    if (well && kind >= 0) {
      const std::pair<absl::string_view, absl::string_view> which =
          absl::StrSplit(parts[2], absl::MaxSplits('/', 1));
      const bool bounded = which.first.size() != parts[2].size();
      well = ParseNumber(which.first, &index) && index >= 1 && index <= kMaxStaleIndex &&
             (!bounded || (ParseNumber(which.second, &alternatives) && alternatives > index &&
                           alternatives <= 0xff));
    }
    if (!well || kind < 0) {
      return absl::StrCat(
          "a stale choice is number:kind:index/alternatives with a number up to 65535, ", "one of ",
          absl::StrJoin(kStaleKindNames, ", "), ", an index from 1 to ",
          static_cast<int>(kMaxStaleIndex),
          ", and more alternatives than the index, if any are named, ", "as in 12:read:1/2, not ",
          Quoted(tokens[i]));
    }
    for (int j = 0; j < schedule->stale_count; ++j) {
      if (schedule->stale[j].number == number) {
        return absl::StrCat("two stale choices ", number);
      }
    }
    schedule->stale[schedule->stale_count++] = {
        static_cast<uint16_t>(number), static_cast<uint8_t>(kind), static_cast<uint8_t>(index),
        static_cast<uint8_t>(alternatives)};
  }
  return "";
}

void AppendMemory(const schedule::Schedule& schedule, std::string* out) {
  if (schedule.memory != MemoryModel::kUnnamed) {
    absl::StrAppend(out, "memory ", schedule::kMemoryModelNames[static_cast<int>(schedule.memory)],
                    "\n");
  }
  for (int i = 0; i < schedule.stale_count; ++i) {
    const schedule::StaleChoice choice = schedule.stale[i];
    absl::StrAppend(out, i == 0 ? "stale-choices " : " ", choice.number, ":",
                    kStaleKindNames[choice.kind], ":", choice.index);
    if (choice.alternatives != 0) absl::StrAppend(out, "/", choice.alternatives);
  }
  if (schedule.stale_count > 0) absl::StrAppend(out, "\n");
}

}  // namespace cancelsafe
