// See timeline.h.
#include "fuzzers/run/timeline.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/columns.h"
#include "oracle/describe.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

struct Row {
  uint32_t sequence = 0;
  int order = 0;         // among rows of one position: marks come last
  size_t collected = 0;  // keeps marks of one position in their order
  int fiber = 0;
  std::string text;
  int irql = -1;  // -1: as before on this fiber
  int locks = -1;
  bool separator = false;
};

constexpr int kQueueLock = TimelineMark::kQueueLock;
constexpr int kCancelLock = TimelineMark::kCancelLock;

// How many calls the given one is nested in.
int Depth(const History& history, uint8_t call) {
  int depth = 0;
  for (; call != kNoCall && history.calls[call].parent != kNoCall;
       call = history.calls[call].parent) {
    ++depth;
  }
  return depth;
}

std::string ItemName(uint8_t item) { return item == kNoItem ? "none" : absl::StrCat(item); }

class Table {
 public:
  Table(const History& history, const TimelineOptions& options)
      : history_(history), options_(options) {
    for (int i = 0; i < history.call_count; ++i) folded_.push_back(false);
    Collect();
    if (static_cast<int>(rows_.size()) > options.rows_max) {
      for (int i = 0; i < history.call_count; ++i) folded_[i] = Uninterrupted(i);
      rows_.clear();
      Collect();
    }
  }

  std::string Print();

 private:
  void Collect();
  void CollectCall(int index);
  bool Uninterrupted(int index) const;
  bool InsideFolded(uint8_t call) const {
    for (; call != kNoCall; call = history_.calls[call].parent) {
      if (folded_[call]) return true;
    }
    return false;
  }

  const History& history_;
  const TimelineOptions& options_;
  std::vector<bool> folded_;
  std::vector<Row> rows_;
};

// An outermost call that returned before anything else happened.
bool Table::Uninterrupted(int index) const {
  const Call& call = history_.calls[index];
  if (call.parent != kNoCall || !call.returned) return false;
  for (const Row& row : rows_) {
    const bool inside = row.sequence >= call.begin && row.sequence <= call.end;
    if (inside && (row.fiber != call.fiber || row.order != 0)) return false;
  }
  return true;
}

void Table::CollectCall(int index) {
  const Call& call = history_.calls[index];
  const uint8_t number = static_cast<uint8_t>(index);
  if (call.parent != kNoCall && InsideFolded(call.parent)) return;
  const std::string indent(Depth(history_, number) * 4, ' ');
  const std::string outcome =
      call.returned ? DescribeOutcome(history_.setup, call.operation, call.outcome) : "";
  Row row;
  row.sequence = call.begin;
  row.fiber = call.fiber;
  row.irql = call.irql_before;
  if (call.locks_before == 0) row.locks = 0;
  row.text = absl::StrCat(indent, PrintOperation(history_.setup, call.operation));
  bool simple = call.returned;
  for (int i = 0; i < history_.event_count; ++i) simple &= history_.events[i].call != number;
  for (int i = 0; i < history_.call_count; ++i) simple &= history_.calls[i].parent != number;
  if (folded_[index] || (simple && Uninterrupted(index))) {
    if (!simple) absl::StrAppend(&row.text, ": ", DescribeRecordedTrace(history_, index));
    if (!outcome.empty()) absl::StrAppend(&row.text, " = ", outcome);
    rows_.push_back(std::move(row));
    return;
  }
  rows_.push_back(row);
  if (!call.returned) return;
  row.sequence = call.end;
  row.irql = call.irql_after;
  row.locks = call.locks_after == 0 ? 0 : -1;
  row.text = absl::StrCat(indent, OperationName(call.operation.op),
                          outcome.empty() ? " returns" : " = ", outcome);
  rows_.push_back(std::move(row));
}

void Table::Collect() {
  // Interruptions decide what is folded, so the marks come first.
  for (const TimelineMark& mark : options_.marks) {
    Row row;
    row.sequence = mark.sequence;
    row.order = 1;
    row.fiber = mark.fiber;
    row.text = mark.text;
    row.irql = mark.irql;
    row.locks = mark.locks;
    rows_.push_back(std::move(row));
  }
  for (int i = 0; i < history_.event_count; ++i) {
    const CallbackEvent& event = history_.events[i];
    if (event.call != kNoCall && InsideFolded(event.call)) continue;
    const int depth = event.call == kNoCall ? 0 : Depth(history_, event.call);
    Row row;
    row.sequence = event.sequence;
    row.fiber = event.fiber;
    row.text = absl::StrCat(std::string(depth * 4 + 2, ' '), ShortEvent(event));
    row.irql = event.irql;
    row.locks = ((event.snapshot & kQueueLockHeld) != 0 ? kQueueLock : 0) |
                ((event.snapshot & kCancelLockHeld) != 0 ? kCancelLock : 0);
    rows_.push_back(std::move(row));
  }
  for (int i = 0; i < history_.call_count; ++i) CollectCall(i);
  const auto first = std::find(options_.drained.begin(), options_.drained.end(), true);
  if (first != options_.drained.end()) {
    Row row;
    row.sequence = history_.calls[first - options_.drained.begin()].begin;
    row.order = -1;
    row.separator = true;
    row.text = "then the queue is emptied:";
    rows_.push_back(std::move(row));
  }
  for (size_t i = 0; i < rows_.size(); ++i) rows_[i].collected = i;
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return std::tie(a.sequence, a.order, a.collected) < std::tie(b.sequence, b.order, b.collected);
  });
}

std::string Table::Print() {
  int irql[kMaxFibers] = {};
  int locks[kMaxFibers] = {};
  std::vector<std::string> headings;
  for (int f = 0; f < history_.fibers; ++f) headings.push_back(absl::StrCat("fiber ", f));
  std::vector<ColumnRow> rows;
  for (Row& row : rows_) {
    if (row.separator) {
      rows.push_back({-1, row.text});
      continue;
    }
    if (row.irql >= 0) irql[row.fiber] = row.irql;
    if (row.locks >= 0) locks[row.fiber] = row.locks;
    const int held = locks[row.fiber];
    const char* letters = held == (kQueueLock | kCancelLock) ? "QC"
                          : held == kQueueLock               ? "Q"
                          : held == kCancelLock              ? "C"
                                                             : "";
    rows.push_back({row.fiber, EntryPrefix(irql[row.fiber], letters) + row.text});
  }
  return Columns(headings, rows);
}

}  // namespace

std::string ShortEvent(const CallbackEvent& event) {
  switch (event.kind) {
    case CallbackKind::kAcquire:
      return "acquire";
    case CallbackKind::kRelease:
      return "release";
    case CallbackKind::kInsert:
      return absl::StrCat("insert ", ItemName(event.item),
                          event.status == kStatusSuccess ? "" : " = ",
                          event.status == kStatusSuccess ? "" : DescribeStatus(event.status));
    case CallbackKind::kPeek:
      return absl::StrCat("peek", event.after == kNoItem ? "" : " after ",
                          event.after == kNoItem ? "" : ItemName(event.after), " = ",
                          ItemName(event.item));
    case CallbackKind::kRemove:
      return absl::StrCat("remove ", ItemName(event.item));
    case CallbackKind::kCompleteCanceled:
      return absl::StrCat("complete-canceled ", ItemName(event.item));
    case CallbackKind::kStartIo:
      return absl::StrCat("start-io ", ItemName(event.item));
    case CallbackKind::kDriverCancel:
      return absl::StrCat("cancel-routine ", ItemName(event.item));
    case CallbackKind::kCompleted:
      return absl::StrCat(ItemName(event.item), " completed, ", DescribeStatus(event.status));
  }
  return "";
}

std::string Timeline(const History& history, const TimelineOptions& options) {
  return Table(history, options).Print();
}

}  // namespace cancelsafe
