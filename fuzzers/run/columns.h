// Texts in columns under headings, one row each: how runs are printed. Knows no history.
#ifndef CANCELSAFE_FUZZERS_RUN_COLUMNS_H_
#define CANCELSAFE_FUZZERS_RUN_COLUMNS_H_

#include <string>
#include <vector>

namespace cancelsafe {

struct ColumnRow {
  int column = 0;  // -1: across all of them, and not counted
  std::string text;
};

// Numbered rows, each with its text in its column, as wide as what is in it. Lines that each
// end with a line feed.
std::string Columns(const std::vector<std::string>& headings, const std::vector<ColumnRow>& rows);

// What an entry begins with: the IRQL, and the locks held ("2Q").
std::string EntryPrefix(int irql, const char* locks);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_COLUMNS_H_
