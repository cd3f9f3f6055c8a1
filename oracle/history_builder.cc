// See history_builder.h.
#include "oracle/history_builder.h"

#include <cstring>

#include "oracle/family.h"

namespace cancelsafe {

Operation MakeOperation(Op op, uint8_t item, uint32_t key, uint8_t flags, uint8_t selector) {
  Operation operation;
  operation.op = op;
  operation.item = item;
  operation.key = key;
  operation.flags = flags;
  operation.selector = selector;
  return operation;
}

int HistoryBuilder::Begin(int fiber, const Operation& operation, uint8_t generation) {
  const int index = history.call_count++;
  Call& call = history.calls[index];
  call = Call();
  call.operation = operation;
  call.fiber = static_cast<uint8_t>(fiber);
  call.generation = generation;
  call.begin = ++history.sequence;
  return index;
}

CallbackEvent& HistoryBuilder::AddEvent(int call, CallbackKind kind, uint8_t item, uint8_t after) {
  CallbackEvent& event = history.events[history.event_count++];
  event = CallbackEvent();
  event.kind = kind;
  event.item = item;
  event.after = after;
  event.fiber = history.calls[call].fiber;
  event.call = static_cast<uint8_t>(call);
  event.sequence = ++history.sequence;
  const bool locked = kind != CallbackKind::kAcquire && kind != CallbackKind::kCompleteCanceled;
  const bool queue = HasQueueCallbacks(history.setup.family);
  event.irql = !queue || (locked && kind <= CallbackKind::kRelease) ? 2 : 0;
  event.snapshot = kRightQueue | kTokenMatches | kKnownItem | kCanariesIntact;
  if (locked) event.snapshot |= kQueueLockHeld;
  const ItemSet<kMaxItems> bit = item == kNoItem ? 0 : ItemBit<kMaxItems>(item);
  switch (kind) {
    case CallbackKind::kInsert:
      linked_ |= bit;
      break;
    case CallbackKind::kRemove:
      event.snapshot |= kPendingMarked;
      if ((linked_ & bit) != 0) event.snapshot |= kLinked;
      linked_ &= ~bit;
      break;
    case CallbackKind::kPeek:
      if (after == kNoItem || (linked_ & ItemBit<kMaxItems>(after)) != 0) event.snapshot |= kLinked;
      break;
    case CallbackKind::kRelease: {
      const Op op = history.calls[call].operation.op;
      const bool insert = op == Op::kInsert || op == Op::kInsertEx;
      if (insert) event.item = history.calls[call].operation.item;
      if (insert) event.snapshot |= kPendingMarked | kCancelRoutineSet;
      break;
    }
    case CallbackKind::kCompleteCanceled:
    case CallbackKind::kDriverCancel:
      event.snapshot |= kPendingMarked;
      break;
    case CallbackKind::kStartIo:
      event.snapshot |= kLinked | kPendingMarked;
      break;
    case CallbackKind::kCompleted:
      if (history.calls[call].operation.op != Op::kComplete) event.status = kStatusCancelled;
      break;
    default:
      break;
  }
  return event;
}

void HistoryBuilder::Callbacks(int call, std::string_view letters) {
  size_t i = 0;
  while (i < letters.size()) {
    if (letters[i] == ' ') {
      ++i;
      continue;
    }
    const char* found = std::strchr(kCallbackLetters, letters[i++]);
    const auto kind = static_cast<CallbackKind>(found - kCallbackLetters);
    uint8_t item = kNoItem;
    uint8_t after = kNoItem;
    for (; i < letters.size() && letters[i] != ' '; ++i) {
      const char c = letters[i];
      if (c >= '0' && c <= '7') item = static_cast<uint8_t>(c - '0');
      if (c == '>') after = static_cast<uint8_t>(letters[++i] - '0');
    }
    AddEvent(call, kind, item, after);
  }
}

void HistoryBuilder::End(int index, int32_t outcome) {
  Call& call = history.calls[index];
  call.returned = true;
  call.outcome.value = outcome;
  call.end = ++history.sequence;
  if (call.effect == 0) call.effect = call.end;
}

int HistoryBuilder::Add(int fiber, const Operation& operation, std::string_view letters,
                        int32_t outcome, uint8_t generation) {
  const int call = Begin(fiber, operation, generation);
  Callbacks(call, letters);
  End(call, outcome);
  return call;
}

CallbackEvent& HistoryBuilder::Event(CallbackKind kind, int n) {
  for (int i = 0; i < history.event_count; ++i) {
    if (history.events[i].kind == kind && n-- == 0) return history.events[i];
  }
  return history.events[0];
}

}  // namespace cancelsafe
