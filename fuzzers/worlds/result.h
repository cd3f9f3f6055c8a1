// What a verification gave: as the line that is quoted, as a line of JSON that another
// machine reads, and several of them as one.
#ifndef CANCELSAFE_FUZZERS_WORLDS_RESULT_H_
#define CANCELSAFE_FUZZERS_WORLDS_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/drivers/verify/driver_scope.h"
#include "fuzzers/drivers/verify/search_program.h"
#include "fuzzers/worlds/scope.h"
#include "fuzzers/worlds/search.h"

namespace cancelsafe {

// Which of the programs of a scope are meant: every `shards`-th, beginning with number
// `shard`, both counted from 1.
struct Shard {
  int shard = 1;
  int shards = 1;
  bool whole() const { return shards == 1; }
  // The first of its programs that has at least this number.
  int64_t FirstFrom(int64_t number) const {
    const int64_t offset = (number - (shard - 1)) % shards;
    return offset == 0 ? number : number + shards - (offset + shards) % shards;
  }
};

// "3/16" as a shard; an error for anything else.
absl::StatusOr<Shard> ParseShard(const std::string& text);

struct VerifyResult {
  Scope scope;
  // Of programs for a driver, in place of the scope and of the tally.
  std::optional<drivers::DriverScope> driver;
  drivers::DriverTally driver_tally;
  std::string unseen;  // "" or whose accesses are not seen: drivers::UnseenBy
  // What was verified, and how. Results with others do not go together.
  std::string implementation;  // "built-in", or the file's name; of a driver "its name.sys", and
                               // behind " on " the queues under it if they are not built-in
  std::string revision;        // as the user calls it
  std::string memory = "sc";
  std::string bound;    // of each search: SearchBound
  std::string ignored;  // rules and clauses that are left out, in order: "pending-missing, x"
  bool strict = false;  // held to the built-in implementation's choices
  Shard shard;
  int64_t from = 0;  // the number of the first program
  // The number of the first program of the shard that was not searched; that of all
  // programs of the scope if there is none.
  int64_t next = 0;
  bool all = false;  // from `from`, the whole shard was searched
  // Why not: "Ctrl-C", "10 seconds".
  std::string stopped_by;
  Tally tally;
  double seconds = 0;  // of the clock, times the number of machines if several were merged
};

// What was gone through, in words: "csq 2x1, 1 item, 1 setting".
std::string ScopeText(const VerifyResult& result);
// Operations that were left out, as explore says it: "3 operations skipped".
std::string LeftOutText(const VerifyResult& result);

// Without a line feed: "csq 2x1, 2 items, 1 setting: 577 programs, ...". Says "complete"
// only if every schedule of every program of the scope was run and judged.
std::string ResultLine(const VerifyResult& result);

std::string ResultJson(const VerifyResult& result);
// The error says what is wrong with the line.
absl::StatusOr<VerifyResult> ParseResult(const std::string& line);

// The results of all shards as those of the whole scope: one for each scope, in the order
// of their first line. An error if shards or parts of one are missing, are there twice, or
// do not go together.
absl::StatusOr<std::vector<VerifyResult>> MergeResults(const std::vector<VerifyResult>& parts);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_RESULT_H_
