// What enters and leaves a queue whose list is the driver's, read from the callbacks.
// Callback data queues are read the same way.
#include "oracle/csq/endings.h"

#include <algorithm>

#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// True if the insert callback of the call was entered before event `end`.
bool CalledInsert(const History& history, uint8_t call, int end) {
  for (int i = 0; i < end; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call == call && event.kind == CallbackKind::kInsert && event.item < kMaxItems) {
      return true;
    }
  }
  return false;
}

void AddQueueEvents(const History& history, Account* account) {
  // Counted first, since which kind comes next is hard to predict.
  static constexpr int kKinds = static_cast<int>(CallbackKind::kCompleted) + 1;
  uint16_t count[kKinds][kMaxItems + 1] = {};
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call >= history.call_count) continue;
    ++count[static_cast<int>(event.kind)][std::min<int>(event.item, kMaxItems)];
    if (event.status < 0 && event.kind == CallbackKind::kInsert && event.item < kMaxItems) {
      --account->accepted[event.item];
    }
    if (event.kind == CallbackKind::kCompleteCanceled && event.item < kMaxItems) {
      // An insert that refuses a cancelled item without calling the driver
      // still took it over.
      const Op op = history.calls[event.call].operation.op;
      if (InfoOf(op).effect == ItemEffect::kAdds && !CalledInsert(history, event.call, i))
        ++account->accepted[event.item];
    }
  }
  const auto of = [&count](CallbackKind kind) { return count[static_cast<int>(kind)]; };
  for (int item = 0; item < kMaxItems; ++item) {
    // The failed inserts, which went below zero, come back into range here.
    account->accepted[item] += of(CallbackKind::kInsert)[item];
    account->ended[item] += of(CallbackKind::kCompleteCanceled)[item];
    account->ordered[item] += of(CallbackKind::kCompleteCanceled)[item];
    account->completed[item] += of(CallbackKind::kCompleted)[item];
  }
}

void AddQueueCalls(const History& history, Account* account) {
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    account->all_returned &= call.returned;
    if (!OperationBelongsTo(history.setup.family, call.operation.op)) continue;
    switch (InfoOf(call.operation.op).effect) {
      case ItemEffect::kAdds:
        account->NoteInsert(call);
        break;
      case ItemEffect::kRemoves:
        account->NoteRemoval(call, false);
        break;
      case ItemEffect::kRemovesNext:
        account->NoteRemoval(call, TakesAnyItem(history.setup, call.operation),
                             QueueOf(call.operation));
        break;
      case ItemEffect::kCompletes:
        Account::Add(account->ordered, call.operation.item);
        break;
      default:
        break;
    }
  }
}

}  // namespace

void AddQueueEndings(const History& history, Account* account) {
  AddQueueEvents(history, account);
  AddQueueCalls(history, account);
}

}  // namespace cancelsafe
