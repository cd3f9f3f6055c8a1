#include "fuzzers/program/dictionary.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

TEST(DictionaryTest, EveryEntryIsOneThatTheEnginesTake) {
  for (const char* name : DictionaryNames()) {
    std::set<std::string> seen;
    for (const absl::string_view line : absl::StrSplit(PrintDictionary(name), '\n')) {
      if (line.empty() || line[0] == '#') continue;
      EXPECT_TRUE(line.size() > 2 && line.front() == '"' && line.back() == '"') << line;
      // AFL++ takes up to 128 bytes; an escape has four characters for one.
      EXPECT_LE(line.size(), 4 * 128u) << line;
      EXPECT_TRUE(seen.insert(std::string(line)).second) << name << " has twice: " << line;
    }
    EXPECT_GT(seen.size(), 10u) << name;
  }
}

// A word that the grammar does not know would be of no use.
TEST(DictionaryTest, TheSeedsAreMadeOfItsWords) {
  const std::string dictionary = PrintDictionary("text");
  for (const char* word : {"target csq", "fiber 3", "remove-next ", "peek=by-key", "irql=dispatch",
                           "key=4294967295", "schedule surw", "reentry=cancel", "start-by-key"}) {
    EXPECT_TRUE(absl::StrContains(dictionary, word)) << word;
  }
}

}  // namespace
}  // namespace cancelsafe
