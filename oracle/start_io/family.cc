// The row of the StartIo layer, see oracle/family.h.
#include "oracle/family.h"

#include <iterator>

#include "oracle/facet_check.h"
#include "oracle/operation_table.h"
#include "oracle/start_io/model.h"

namespace cancelsafe {
namespace {

// True if the call entered the item's cancel routine before event `end`.
bool CalledCancelRoutine(const History& history, uint8_t call, uint8_t item, int end) {
  for (int i = 0; i < end; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.kind == CallbackKind::kDriverCancel && event.call == call && event.item == item) {
      return true;
    }
  }
  return false;
}

// A packet ends as far as the queue is concerned when StartIo gets it, or when
// its cancel routine completes it.
void AddEndings(const History& history, Account* account) {
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call >= history.call_count || event.item >= kMaxItems) continue;
    const Operation& operation = history.calls[event.call].operation;
    if (event.kind == CallbackKind::kStartIo) ++account->ended[event.item];
    if (event.kind != CallbackKind::kCompleted) continue;
    ++account->completed[event.item];
    // By the cancel routine: of a cancellation, or of a start that found its packet
    // cancelled already (AMB-28).
    if (operation.item == event.item &&
        (operation.op == Op::kCancel || CalledCancelRoutine(history, event.call, event.item, i))) {
      ++account->ended[event.item];
    }
  }
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    account->all_returned &= call.returned;
    switch (InfoOf(call.operation.op).effect) {
      case ItemEffect::kAdds:
        Account::Add(account->accepted, call.operation.item);
        Account::Add(account->ordered, call.operation.item);
        account->NoteInsert(call);
        break;
      case ItemEffect::kRemovesNext:
        // The items that were started are counted by their StartIo events.
        if (call.returned && call.outcome.value == kNothing) {
          account->NoteRemoval(call, true, QueueOf(call.operation));
        }
        break;
      case ItemEffect::kCompletes:
        Account::Add(account->ordered, call.operation.item);
        break;
      default:
        break;
    }
  }
}

// The bits of StartIoModel::Abstract.
constexpr Facet kFacets[] = {
    {1 << 6, "busy", "idle"},
    {1 << 7, "the current one is cancelled", ""},
    {1 << 8, "some can be cancelled", ""},
    {1 << 9, "an unfinished one is cancelled", ""},
    {1 << 5, "some with a key", ""},
    {1 << 4, "some without", ""},
    {1 << 2, "", "keys not ascending"},
    {1 << 3, "equal keys", ""},
};
static_assert(LargestAbstractState(kFacets) < kAbstractStates);

constexpr Setup DefaultSetup() {
  Setup setup;
  setup.family = Family::kStartIo;
  return setup;
}

std::unique_ptr<OrderCheck> NewOrderCheck() {
  return std::make_unique<ModelOrderCheck<StartIoModel>>();
}

std::unique_ptr<OrderCheck> NewLargeOrderCheck() {
  return std::make_unique<ModelOrderCheck<LargeStartIoModel>>();
}

}  // namespace

namespace families {

extern const FamilyInfo start_io;
constexpr FamilyInfo start_io = {
    "start-io",  //
    "SIO",
    Family::kDeviceQueue,
    DefaultSetup(),
    kStartIoSettings,
    CallbackStyle::kStartIo,
    &AddEndings,
    {kFacets, static_cast<int>(std::size(kFacets))},
    &NewOrderCheck,
    &NewLargeOrderCheck,
};

}  // namespace families
}  // namespace cancelsafe
