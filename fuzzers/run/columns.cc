// See columns.h.
#include "fuzzers/run/columns.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cancelsafe {

std::string Columns(const std::vector<std::string>& headings, const std::vector<ColumnRow>& rows) {
  std::vector<size_t> width;
  for (const std::string& heading : headings) width.push_back(heading.size());
  for (const ColumnRow& row : rows) {
    if (row.column < 0) continue;
    size_t& widest = width[static_cast<size_t>(row.column)];
    widest = std::max(widest, row.text.size());
  }
  std::string table = "row";
  for (size_t i = 0; i < headings.size(); ++i) {
    absl::StrAppendFormat(&table, " | %-*s", static_cast<int>(width[i]), headings[i]);
  }
  table.erase(table.find_last_not_of(' ') + 1);
  table += "\n";
  int number = 0;
  for (const ColumnRow& row : rows) {
    if (row.column < 0) {
      absl::StrAppend(&table, "    ", row.text, "\n");
      continue;
    }
    absl::StrAppendFormat(&table, "%3d", ++number);
    for (int i = 0; i <= row.column; ++i) {
      const bool here = i == row.column;
      absl::StrAppendFormat(&table, " | %-*s",
                            here ? 0 : static_cast<int>(width[static_cast<size_t>(i)]),
                            here ? row.text : "");
    }
    table += "\n";
  }
  return table;
}

std::string EntryPrefix(int irql, const char* locks) {
  return absl::StrFormat("%d%-2s ", irql, locks);
}

}  // namespace cancelsafe
