// See display.h.
#include "fuzzers/campaign/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cancelsafe {
namespace {

constexpr double kRefreshSeconds = 0.5;  // on a terminal
constexpr double kLineSeconds = 10;      // elsewhere
constexpr int kColumnsUnknown = 80;

uint64_t RunsPerSecond(const SlotStatus& slot) {
  return slot.seconds <= 0 ? 0
                           : static_cast<uint64_t>(static_cast<double>(slot.runs) / slot.seconds);
}

const char* EndWord(SlotState state) {
  switch (state) {
    case SlotState::kDone:
      return "done";
    case SlotState::kFound:
      return "VIOLATION";
    case SlotState::kStopped:
      return "stopped";
    case SlotState::kNotRun:
      return "could not run";
    case SlotState::kWaiting:
    case SlotState::kRunning:
      break;
  }
  return "";
}

bool HasEnded(SlotState state) {
  return state != SlotState::kWaiting && state != SlotState::kRunning;
}

}  // namespace

std::string ProgressLine(const SlotStatus& slot) {
  return absl::StrFormat("%-19s %-7s %5.0f s %11d runs %8d/s %6d states %6d corpus %d findings",
                         slot.target, slot.sanitizer, slot.seconds, slot.runs, RunsPerSecond(slot),
                         slot.states, slot.corpus, slot.findings);
}

std::string SummaryTable(const std::vector<SlotStatus>& slots) {
  std::string table =
      absl::StrFormat("%-19s  %-9s  %7s  %12s  %8s  %6s  %6s  %8s\n", "target", "sanitizer",
                      "seconds", "runs", "runs/s", "states", "corpus", "findings");
  double seconds = 0;
  uint64_t runs = 0;
  int findings = 0;
  for (const SlotStatus& slot : slots) {
    absl::StrAppendFormat(&table, "%-19s  %-9s  %7.0f  %12d  %8d  %6d  %6d  %8d", slot.target,
                          slot.sanitizer, slot.seconds, slot.runs, RunsPerSecond(slot), slot.states,
                          slot.corpus, slot.findings);
    if (slot.state == SlotState::kWaiting) absl::StrAppend(&table, "  not started");
    if (slot.state == SlotState::kStopped) absl::StrAppend(&table, "  stopped");
    if (slot.state == SlotState::kNotRun) absl::StrAppend(&table, "  could not run");
    table += "\n";
    seconds += slot.seconds;
    runs += slot.runs;
    findings += slot.findings;
  }
  absl::StrAppendFormat(&table, "%-19s  %-9s  %7.0f  %12d  %8s  %6s  %6s  %8d\n", "all", "",
                        seconds, runs, "", "", "", findings);
  return table;
}

std::string WorkTable(const std::vector<SlotStatus>& slots) {
  std::string table = absl::StrFormat("%-19s  %-9s  %14s  %12s  %8s  %11s\n", "target", "sanitizer",
                                      "operations", "left out", "unknown", "unconfirmed");
  uint64_t by_reason[kSkipCount] = {}, unknown = 0, ignored = 0, unconfirmed = 0, not_then = 0;
  for (const SlotStatus& slot : slots) {
    uint64_t left_out = slot.left_out;
    not_then += slot.left_out;
    for (int i = 1; i < kSkipCount; ++i) {
      by_reason[i] += slot.skipped[i];
      left_out += slot.skipped[i];
    }
    absl::StrAppendFormat(&table, "%-19s  %-9s  %14d  %12d  %8d  %11d\n", slot.target,
                          slot.sanitizer, slot.operations, left_out, slot.unknown,
                          slot.unconfirmed);
    unknown += slot.unknown;
    ignored += slot.ignored;
    unconfirmed += slot.unconfirmed;
  }
  for (int i = 1; i < kSkipCount; ++i) {
    if (by_reason[i] == 0) continue;
    absl::StrAppend(&table, "left out: ", by_reason[i],
                    " operations: ", SkipReason(static_cast<Skip>(i)), "\n");
  }
  if (not_then > 0) {
    absl::StrAppend(&table, "left out: ", not_then,
                    " operations: a caller must not do that at that moment\n");
  }
  if (unknown > 0) {
    table +=
        "unknown: runs that could not be judged (a check ran out of its budget, or a routine is "
        "not "
        "provided); they did not pass\n";
  }
  if (ignored > 0) {
    absl::StrAppend(&table, "ignored: ", ignored,
                    " runs that break a rule which --ignore names, or which was saved before\n");
  }
  if (unconfirmed > 0) {
    table += "unconfirmed: violations that did not happen again when the run was repeated\n";
  }
  return table;
}

void Display::Update(const std::vector<SlotStatus>& slots, double now) {
  ended_.resize(slots.size(), false);
  if (next_ == 0 && columns_ == 0) next_ = now + kLineSeconds;  // nothing to say yet
  const bool due = Due(now);
  bool any_end = false;
  for (size_t i = 0; i < slots.size(); ++i) any_end |= HasEnded(slots[i].state) && !ended_[i];
  if (!due && !any_end) return;
  Erase();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (!HasEnded(slots[i].state) || ended_[i]) continue;
    ended_[i] = true;
    fprintf(out_, "%s  %s\n", ProgressLine(slots[i]).c_str(), EndWord(slots[i].state));
  }
  for (const SlotStatus& slot : slots) {
    if (slot.state != SlotState::kRunning) continue;
    if (columns_ == 0) {
      if (due) fprintf(out_, "%s\n", ProgressLine(slot).c_str());
    } else {
      // A line that wraps could not be erased again.
      fprintf(out_, "%s\n", ProgressLine(slot).substr(0, columns_ - 1).c_str());
      ++lines_shown_;
    }
  }
  fflush(out_);
  if (due) next_ = now + (columns_ == 0 ? kLineSeconds : kRefreshSeconds);
}

void Display::Close() {
  Erase();
  fflush(out_);
}

void Display::Erase() {
  for (; lines_shown_ > 0; --lines_shown_) fputs("\x1b[A\x1b[2K", out_);
}

int TerminalColumns(FILE* out) {
  const char* terminal = getenv("TERM");
  if (isatty(fileno(out)) == 0 || terminal == nullptr || strcmp(terminal, "dumb") == 0) return 0;
  winsize size = {};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsUnknown;
  return std::max<int>(size.ws_col, 2);
}

}  // namespace cancelsafe
