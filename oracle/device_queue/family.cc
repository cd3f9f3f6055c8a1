// The row of device queues, see oracle/family.h.
#include "oracle/family.h"

#include <iterator>

#include "oracle/device_queue/model.h"
#include "oracle/facet_check.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// Adds up the calls: without callbacks, their results are all there is to see.
void AddEndings(const History& history, Account* account) {
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    account->all_returned &= call.returned;
    switch (InfoOf(call.operation.op).effect) {
      case ItemEffect::kAdds:
        if (!call.returned || call.outcome.value != 0) {
          Account::Add(account->accepted, call.operation.item);
        }
        account->NoteInsert(call);
        break;
      case ItemEffect::kRemovesNext:
        account->NoteRemoval(call, true, QueueOf(call.operation));
        break;
      case ItemEffect::kRemoves:
        if (call.returned && call.outcome.value != 0) {
          Account::Add(account->ended, call.operation.item);
        }
        break;
      default:
        break;
    }
  }
}

// The bits of DeviceQueueModel::Abstract.
constexpr Facet kFacets[] = {
    {1 << 6, "busy", "idle"},          {1 << 5, "some with a key", ""},
    {1 << 4, "some without", ""},      {1 << 2, "", "keys not ascending"},
    {1 << 3, "equal keys", ""},        {1 << 7, "other queue busy", ""},
    {1 << 8, "some in the other", ""},
};
static_assert(LargestAbstractState(kFacets) < kAbstractStates);

constexpr Setup DefaultSetup() {
  Setup setup;
  setup.family = Family::kDeviceQueue;
  return setup;
}

std::unique_ptr<OrderCheck> NewOrderCheck() {
  return std::make_unique<ModelOrderCheck<DeviceQueueModel>>();
}

std::unique_ptr<OrderCheck> NewLargeOrderCheck() {
  return std::make_unique<ModelOrderCheck<LargeDeviceQueueModel>>();
}

}  // namespace

namespace families {

extern const FamilyInfo device_queue;
constexpr FamilyInfo device_queue = {
    "device-queue",  //
    "DQ",
    Family::kDeviceQueue,
    DefaultSetup(),
    kListSettings,
    CallbackStyle::kNone,
    &AddEndings,
    {kFacets, static_cast<int>(std::size(kFacets))},
    &NewOrderCheck,
    &NewLargeOrderCheck,
};

}  // namespace families
}  // namespace cancelsafe
