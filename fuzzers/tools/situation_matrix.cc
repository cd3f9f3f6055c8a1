// See situation_matrix.h.
#include "fuzzers/tools/situation_matrix.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "oracle/operation_table.h"

namespace cancelsafe {

SituationMatrix::SituationMatrix(Family family, const std::vector<Situation>& met)
    : family_(family) {
  for (const Situation& situation : met) met_.emplace(situation.state, situation.op);
  reachable_ = met_;
}

void SituationMatrix::SetReachable(const std::vector<Situation>& reachable) {
  for (const Situation& situation : reachable) reachable_.emplace(situation.state, situation.op);
}

std::string SituationMatrix::Table() const {
  struct Cell {
    int met = 0;
    int reachable = 0;
  };
  std::map<std::string, std::map<Op, Cell>> rows;
  size_t first_width = 0;
  for (const Pair& pair : reachable_) {
    const std::string row = SituationRow(family_, pair.first);
    first_width = std::max(first_width, row.size());
    Cell& cell = rows[row][pair.second];
    ++cell.reachable;
    cell.met += static_cast<int>(met_.count(pair));
  }
  std::string text = absl::StrFormat("%-*s", first_width, "");
  std::vector<std::pair<Op, int>> columns;
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    if (!OperationBelongsTo(family_, op)) continue;
    const std::string name = OperationName(op);
    columns.emplace_back(op, std::max<int>(7, static_cast<int>(name.size())));
    absl::StrAppendFormat(&text, "  %*s", columns.back().second, name);
  }
  text += "\n";
  for (const auto& [name, cells] : rows) {
    absl::StrAppendFormat(&text, "%-*s", first_width, name);
    for (const auto& [op, width] : columns) {
      const auto cell = cells.find(op);
      const std::string value =
          cell == cells.end() ? "-" : absl::StrCat(cell->second.met, "/", cell->second.reachable);
      absl::StrAppendFormat(&text, "  %*s", width, value);
    }
    text += "\n";
  }
  absl::StrAppend(&text, met_.size(), " of ", reachable_.size(),
                  " situations known to be possible are reached\n");
  return text;
}

std::string SituationMatrix::NeverReached() const {
  std::string text;
  for (const Pair& pair : reachable_) {
    if (met_.count(pair) != 0) continue;
    absl::StrAppend(&text, "never reached: ", OperationName(pair.second), " with ",
                    DescribeSituationState(family_, pair.first), "\n");
  }
  return text;
}

}  // namespace cancelsafe
