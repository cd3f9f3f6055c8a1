// The row of cancel-safe IRP queues, see oracle/family.h.
#include "oracle/family.h"

#include <iterator>

#include "oracle/csq/endings.h"
#include "oracle/csq/model.h"

namespace cancelsafe {
namespace {

constexpr Setup DefaultSetup() {
  Setup setup;
  setup.family = Family::kCsq;
  return setup;
}

std::unique_ptr<OrderCheck> NewOrderCheck() {
  return std::make_unique<ModelOrderCheck<CsqModel>>();
}

std::unique_ptr<OrderCheck> NewLargeOrderCheck() {
  return std::make_unique<ModelOrderCheck<LargeCsqModel>>();
}

}  // namespace

namespace families {

extern const FamilyInfo csq;
constexpr FamilyInfo csq = {
    "csq",
    "CSQ",
    Family::kCsq,
    DefaultSetup(),
    kQueueSettings | kTwoKindSettings,
    CallbackStyle::kQueue,
    &AddQueueEndings,
    {kQueueFacets, static_cast<int>(std::size(kQueueFacets))},
    &NewOrderCheck,
    &NewLargeOrderCheck,
};

}  // namespace families
}  // namespace cancelsafe
