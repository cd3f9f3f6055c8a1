// What a running target prints: kept in a file of bounded size, and searched on
// the way for the few lines that say how things went. Reading on the way means
// that a full disk loses the log, not the verdict.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_TARGET_LOG_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_TARGET_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/targets/target_report.h"

namespace cancelsafe {

// The first line of each sort, without its prefix; "" if there was none.
struct LogFacts {
  std::optional<TargetReport> report;  // of a violation that could be made to happen again
  std::vector<TargetReport> unconfirmed;
  bool left_out = false;        // it died of what --ignore leaves out
  std::string complaint;        // "cancelsafe: ...": the target could not do its work
  std::string engine_error;     // "deadly signal", or why AFL++ gave up
  std::string summary;          // of a sanitizer: "AddressSanitizer: SEGV ..."
  std::string artifact;         // path of the input as the engine saved it
  bool through_corpus = false;  // libFuzzer has run what it started from
  bool done = false;            // the engine said that it was through
};

class TargetLog {
 public:
  // Creates or empties the file. Keeps at most `bytes_max` of what is added.
  static absl::StatusOr<std::unique_ptr<TargetLog>> Create(const std::string& path,
                                                           uint64_t bytes_max = 16 << 20);
  ~TargetLog();
  TargetLog(const TargetLog&) = delete;
  TargetLog& operator=(const TargetLog&) = delete;

  void Add(absl::string_view text);
  // The last line may have come without a line feed.
  void Finish();

  const LogFacts& facts() const { return facts_; }
  const std::string& path() const { return path_; }

 private:
  TargetLog(const std::string& path, int file, uint64_t bytes_max)
      : path_(path), file_(file), bytes_left_(bytes_max) {}
  void Write(absl::string_view text);
  void ReadLine(absl::string_view line);

  const std::string path_;
  const int file_;
  uint64_t bytes_left_;
  std::string line_;
  LogFacts facts_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_TARGET_LOG_H_
