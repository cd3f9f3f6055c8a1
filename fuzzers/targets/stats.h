// What a running target tells the campaign that started it: a few counters in a
// file that both map. Written by one process, read by another at any time.
#ifndef CANCELSAFE_FUZZERS_TARGETS_STATS_H_
#define CANCELSAFE_FUZZERS_TARGETS_STATS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/shared_file.h"
#include "fuzzers/run/family_driver.h"

namespace cancelsafe {

struct TargetStats {
  static constexpr uint64_t kLayoutName = 0x7374'617473'3031;  // "stats01"; see SharedLayout
  SharedLayout layout;
  std::atomic<uint64_t> runs{0};
  std::atomic<uint64_t> operations{0};  // executed, skipped ones not counted
  // Operations left out, by Skip; [0] stays 0.
  std::atomic<uint64_t> skipped[kSkipCount] = {};
  // Of a driver's program: what a caller must not do at that moment.
  std::atomic<uint64_t> left_out{0};
  std::atomic<uint64_t> unknown{0};      // runs that could not be judged
  std::atomic<uint64_t> ignored{0};      // of a driver: whose rule is left out, or was saved before
  std::atomic<uint64_t> unconfirmed{0};  // violations that did not happen a second time
  std::atomic<uint32_t> running{0};      // whether a run is under way at this moment
  std::atomic<uint32_t> states{0};       // distinct (model state, operation) pairs, or outcomes
};

// Maps `path`: see MapSharedFile.
TargetStats* MapStats(const std::string& path, std::string* error);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_STATS_H_
