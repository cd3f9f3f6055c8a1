// Rules on items: what came in must go out, once. See rules.h.
#include <algorithm>

#include "oracle/rules.h"

namespace cancelsafe {
namespace {

// Per item, over the whole history.
struct Account {
  uint16_t accepted[kMaxItems] = {};   // taken over by the library
  uint16_t ended[kMaxItems] = {};      // given back by it, one way or another
  uint16_t completed[kMaxItems] = {};  // completions that were seen
  uint16_t ordered[kMaxItems] = {};    // completions that somebody asked for
  uint32_t last_insert_end = 0;
  uint32_t drain_begin = 0;
  bool all_returned = true;
  bool drained = false;
};

void Add(uint16_t* counters, int32_t item) {
  if (item >= 0 && item < kMaxItems) ++counters[item];
}

// True if the removal would have found any item there was.
bool HasNoFilter(const Setup& setup, const Operation& operation) {
  return setup.peek == PeekPolicy::kAny ||
         (setup.peek == PeekPolicy::kByFile && operation.selector == 0) ||
         (setup.peek == PeekPolicy::kByKey && operation.key == 0);
}

void NoteInsert(const Call& call, Account* account) {
  if (call.returned) account->last_insert_end = std::max(account->last_insert_end, call.end);
}

void NoteRemoval(const Call& call, bool finds_any, Account* account) {
  if (!call.returned) return;
  Add(account->ended, call.outcome.value);
  if (!finds_any || call.outcome.value != kNothing || call.begin < account->drain_begin) return;
  account->drained = true;
  account->drain_begin = call.begin;
}

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
      const bool insert = op == Op::kInsert || op == Op::kInsertEx;
      if (insert && !CalledInsert(history, event.call, i)) ++account->accepted[event.item];
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
    switch (call.operation.op) {
      case Op::kInsert:
      case Op::kInsertEx:
        NoteInsert(call, account);
        break;
      case Op::kRemove:
        NoteRemoval(call, false, account);
        break;
      case Op::kRemoveNext:
        NoteRemoval(call, HasNoFilter(history.setup, call.operation), account);
        break;
      case Op::kComplete:
        Add(account->ordered, call.operation.item);
        break;
      default:
        break;
    }
  }
}

void AddDeviceQueueCalls(const History& history, Account* account) {
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    account->all_returned &= call.returned;
    switch (call.operation.op) {
      case Op::kQueueInsert:
      case Op::kQueueInsertByKey:
        if (!call.returned || call.outcome.value != 0) {
          Add(account->accepted, call.operation.item);
        }
        NoteInsert(call, account);
        break;
      case Op::kQueueRemove:
      case Op::kQueueRemoveByKey:
      case Op::kQueueRemoveByKeyIfBusy:
        NoteRemoval(call, true, account);
        break;
      case Op::kQueueRemoveEntry:
        if (call.returned && call.outcome.value != 0) Add(account->ended, call.operation.item);
        break;
      default:
        break;
    }
  }
}

// A packet ends as far as the queue is concerned when StartIo gets it, or when
// its cancel routine completes it.
void AddStartIo(const History& history, Account* account) {
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call >= history.call_count || event.item >= kMaxItems) continue;
    const Operation& operation = history.calls[event.call].operation;
    if (event.kind == CallbackKind::kStartIo) ++account->ended[event.item];
    if (event.kind != CallbackKind::kCompleted) continue;
    ++account->completed[event.item];
    if (operation.op == Op::kCancel && operation.item == event.item) ++account->ended[event.item];
  }
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    account->all_returned &= call.returned;
    switch (call.operation.op) {
      case Op::kStartPacket:
      case Op::kStartPacketByKey:
        Add(account->accepted, call.operation.item);
        Add(account->ordered, call.operation.item);
        NoteInsert(call, account);
        break;
      case Op::kStartNext:
      case Op::kStartNextByKey:
        // The items that were started are counted by their StartIo events.
        if (call.returned && call.outcome.value == kNothing) NoteRemoval(call, true, account);
        break;
      case Op::kComplete:
        Add(account->ordered, call.operation.item);
        break;
      default:
        break;
    }
  }
}

bool Report(Rule rule, int item, RuleFilter* filter, Finding* finding) {
  if (!filter->Admits(rule)) return false;
  *finding = Finding{rule, -1, -1, static_cast<uint8_t>(item)};
  return true;
}

}  // namespace

bool FindBrokenEnding(const History& history, RuleFilter* filter, Finding* finding) {
  if (history.truncated) return false;
  Account account;
  switch (history.setup.family) {
    case Family::kCsq:
    case Family::kCallbackDataQueue:
      AddQueueEvents(history, &account);
      AddQueueCalls(history, &account);
      break;
    case Family::kDeviceQueue:
      AddDeviceQueueCalls(history, &account);
      break;
    case Family::kStartIo:
      AddStartIo(history, &account);
      break;
  }
  for (int i = 0; i < kMaxItems; ++i) {
    if (account.ended[i] > account.accepted[i] && Report(Rule::kDoubleEnding, i, filter, finding)) {
      return true;
    }
  }
  for (int i = 0; i < kMaxItems; ++i) {
    if (account.completed[i] > account.ordered[i] &&
        Report(Rule::kExtraCompletion, i, filter, finding)) {
      return true;
    }
  }
  if (!account.all_returned || !account.drained || account.drain_begin < account.last_insert_end) {
    return false;
  }
  for (int i = 0; i < kMaxItems; ++i) {
    if (account.ended[i] < account.accepted[i] && Report(Rule::kLostItem, i, filter, finding)) {
      return true;
    }
  }
  return false;
}

}  // namespace cancelsafe
