// A run as a table: one column per fiber, one row per call, return or callback,
// in the order in which they happened. Plain text, no wider than its contents.
#ifndef CANCELSAFE_FUZZERS_RUN_TIMELINE_H_
#define CANCELSAFE_FUZZERS_RUN_TIMELINE_H_

#include <string>
#include <vector>

#include "oracle/history.h"

namespace cancelsafe {

// A row that the history does not have: a switch, a wait.
struct TimelineMark {
  uint32_t sequence = 0;  // comes after this position of the history
  int fiber = 0;
  std::string text;
  int irql = -1;   // -1: as before
  int locks = -1;  // likewise; else a sum of the two below
  static constexpr int kQueueLock = 1;
  static constexpr int kCancelLock = 2;
};

struct TimelineOptions {
  // In the order in which they happened.
  std::vector<TimelineMark> marks;
  // Calls made to empty the queue at the end, by number; may be empty.
  std::vector<bool> drained;
  // With more rows than this, calls that nothing interrupted become one row each.
  int rows_max = 40;
};

// Lines that each end with a line feed. Every entry begins with its IRQL and the
// locks held: "2Q" for the queue lock, "2C" for the cancel lock.
std::string Timeline(const History& history, const TimelineOptions& options = TimelineOptions());

// A callback as the table names it: "peek after 3 = 4".
std::string ShortEvent(const CallbackEvent& event);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_TIMELINE_H_
