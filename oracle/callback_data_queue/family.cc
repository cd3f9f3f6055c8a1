// The row of minifilter callback data queues, see oracle/family.h.
#include "oracle/family.h"

#include <iterator>

#include "oracle/callback_data_queue/model.h"
#include "oracle/csq/endings.h"

namespace cancelsafe {
namespace {

constexpr Setup DefaultSetup() {
  Setup setup;
  setup.family = Family::kCallbackDataQueue;
  setup.ex = true;  // the one kind of queue there is
  return setup;
}

std::unique_ptr<OrderCheck> NewOrderCheck() {
  return std::make_unique<ModelOrderCheck<CallbackDataQueueModel>>();
}

std::unique_ptr<OrderCheck> NewLargeOrderCheck() {
  return std::make_unique<ModelOrderCheck<LargeCallbackDataQueueModel>>();
}

}  // namespace

namespace families {

extern const FamilyInfo callback_data_queue;
constexpr FamilyInfo callback_data_queue = {
    "callback-data-queue",
    "CBDQ",
    Family::kCsq,
    DefaultSetup(),
    kQueueSettings | kOperationSettings,
    CallbackStyle::kQueue,
    &AddQueueEndings,
    {kQueueFacets, static_cast<int>(std::size(kQueueFacets))},
    &NewOrderCheck,
    &NewLargeOrderCheck,
};

}  // namespace families
}  // namespace cancelsafe
