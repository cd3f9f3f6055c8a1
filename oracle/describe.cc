// See describe.h.
#include "oracle/describe.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

std::string StepText(CallbackKind kind, uint8_t item, uint8_t after) {
  std::string text(1, kCallbackLetters[static_cast<int>(kind)]);
  if (item != kNoItem) {
    absl::StrAppend(&text, item);
  } else if (kind == CallbackKind::kPeek) {
    text += "-";
  }
  if (after != kNoItem) absl::StrAppend(&text, ">", after);
  return text;
}

}  // namespace

std::string DescribeStatus(int32_t status) {
  switch (status) {
    case kStatusSuccess:
      return "STATUS_SUCCESS";
    case kStatusPending:
      return "STATUS_PENDING";
    case kStatusObjectNameExists:
      return "STATUS_OBJECT_NAME_EXISTS";
    case kStatusBufferOverflow:
      return "STATUS_BUFFER_OVERFLOW";
    case kStatusUnsuccessful:
      return "STATUS_UNSUCCESSFUL";
    case kStatusInvalidParameter:
      return "STATUS_INVALID_PARAMETER";
    case kStatusInsufficientResources:
      return "STATUS_INSUFFICIENT_RESOURCES";
    case kStatusCancelled:
      return "STATUS_CANCELLED";
    case kStatusCbdqDisabled:
      return "STATUS_FLT_CBDQ_DISABLED";
    default:
      return absl::StrFormat("0x%08X", static_cast<uint32_t>(status));
  }
}

std::string DescribeOperation(const Setup& setup, const Operation& operation) {
  const OperationInfo& info = InfoOf(operation.op);
  const FieldMasks masks = FieldsOf(setup, operation.op);
  std::string text = info.name;
  if (masks.item != 0) absl::StrAppend(&text, " item ", operation.item);
  if (masks.key != 0) absl::StrAppend(&text, " key ", operation.key);
  if (info.selector_use == FieldUse::kIfPeekByFile && masks.selector != 0 &&
      operation.selector != 0) {
    absl::StrAppend(&text, " file ", operation.selector - 1);
  }
  if ((operation.flags & kWithContext) != 0) text += " with-context";
  if ((operation.flags & kCancelable) != 0) text += " cancelable";
  if ((operation.flags & kDeferred) != 0) text += " deferred";
  if ((operation.flags & kNonCancelable) != 0) text += " non-cancelable";
  if ((operation.flags & kOtherQueue) != 0) text += " other-queue";
  return text;
}

std::string DescribeOutcome(const Setup&, const Operation& operation, Outcome outcome) {
  const int32_t value = outcome.value;
  switch (InfoOf(operation.op).outcome) {
    case OutcomeKind::kVoid:
      return value == 0 ? "" : absl::StrCat(value);
    case OutcomeKind::kStatus:
      return DescribeStatus(value);
    case OutcomeKind::kBoolean:
      return value == 0 ? "false" : value == 1 ? "true" : absl::StrCat(value);
    case OutcomeKind::kStarted:
      return value == 0 ? "queued" : value == 1 ? "started" : absl::StrCat(value);
    case OutcomeKind::kItem:
      return value == kNothing                 ? "nothing"
             : value >= 0 && value < kMaxItems ? absl::StrCat("item ", value)
                                               : "something that was never inserted";
  }
  return "";
}

std::string DescribeCall(const History& history, int call) {
  const Call& entry = history.calls[call];
  std::string text =
      absl::StrCat("fiber ", entry.fiber, ": ", DescribeOperation(history.setup, entry.operation));
  if (!entry.returned) return text + " -> (did not return)";
  const std::string outcome = DescribeOutcome(history.setup, entry.operation, entry.outcome);
  if (!outcome.empty()) absl::StrAppend(&text, " -> ", outcome);
  return text;
}

std::string DescribeEvent(const History& history, const CallbackEvent& event) {
  std::string text =
      absl::StrCat("fiber ", event.fiber, ": ", StepText(event.kind, event.item, event.after));
  if (event.call < history.call_count) {
    absl::StrAppend(&text, " in ",
                    DescribeOperation(history.setup, history.calls[event.call].operation));
  }
  absl::StrAppend(&text, ", irql ", event.irql);
  static constexpr struct {
    SnapshotFlag flag;
    const char* name;
  } kNames[] = {
      {kQueueLockHeld, "queue lock held"},
      {kCancelLockHeld, "cancel lock held"},
      {kPendingMarked, "pending mark"},
      {kCancelRoutineSet, "cancel routine"},
      {kCancelFlagSet, "cancelled"},
      {kContextSlotSet, "context"},
      {kLinked, "linked"},
  };
  for (const auto& row : kNames) {
    if ((event.snapshot & row.flag) != 0) absl::StrAppend(&text, ", ", row.name);
  }
  if (event.kind == CallbackKind::kCompleted || event.kind == CallbackKind::kInsert) {
    absl::StrAppend(&text, ", ", DescribeStatus(event.status));
  }
  return text;
}

std::string DescribeTrace(Trace trace) {
  if (trace == Trace::Empty()) return "nothing";
  TraceStep steps[Trace::kMaxSteps];
  const int count = UnpackTrace(trace, steps);
  std::string text;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : " ", StepText(steps[i].kind, steps[i].item, kNoItem));
  }
  return text;
}

std::string DescribeRecordedTrace(const History& history, int call) {
  std::string text;
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call != call || !IsTraced(event.kind)) continue;
    const bool names_item =
        event.kind != CallbackKind::kAcquire && event.kind != CallbackKind::kRelease;
    const bool is_peek = event.kind == CallbackKind::kPeek;
    absl::StrAppend(
        &text, text.empty() ? "" : " ",
        StepText(event.kind, names_item ? event.item : kNoItem, is_peek ? event.after : kNoItem));
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace cancelsafe
