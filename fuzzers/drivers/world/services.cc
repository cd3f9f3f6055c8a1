// See services.h.
#include "fuzzers/drivers/world/services.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/filter.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

using Lists = ServiceList (*)();
constexpr Lists kThemes[] = {
    &LockServices,          &QueueServices,          &IrpServices,
    &DeviceServices,        &DispatcherServices,     &TimerServices,
    &WorkItemServices,      &ThreadServices,         &MemoryServices,
    &RuntimeServices,       &AccessServices,         &ExceptionServices,
    &ResourceServices,      &FilterServices,         &FilterCompletionServices,
    &FilterContextServices, &FilterWorkItemServices, &FilterQueueServices};

std::vector<const Service*> Sorted() {
  std::vector<const Service*> all;
  for (const Lists theme : kThemes) {
    const ServiceList list = theme();
    for (size_t i = 0; i < list.count; ++i) all.push_back(&list.begin[i]);
  }
  std::sort(all.begin(), all.end(),
            [](const Service* a, const Service* b) { return strcmp(a->name, b->name) < 0; });
  return all;
}

const char* IrqlName(KIRQL irql) {
  switch (irql) {
    case PASSIVE_LEVEL:
      return "PASSIVE_LEVEL";
    case APC_LEVEL:
      return "APC_LEVEL";
    case DISPATCH_LEVEL:
      return "DISPATCH_LEVEL";
    case HIGH_LEVEL:
      return "HIGH_LEVEL";
    default:
      return "a device's IRQL";
  }
}

}  // namespace

const void* door_caller = nullptr;
int services_entered[256] = {};

const std::vector<const Service*>& AllServices() {
  static const auto* const all = new std::vector<const Service*>(Sorted());
  return *all;
}

const Service* FindService(const std::string& name) {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string, const Service*>;
    for (const Service* service : AllServices()) map->emplace(service->name, service);
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? nullptr : found->second;
}

void ReportIrql(const void* door, KIRQL irql) {
  for (const Service* service : AllServices()) {
    if (service->address != door) continue;
    static std::string allowed;
    allowed = service->min_irql == service->max_irql
                  ? absl::StrCat("at ", IrqlName(service->min_irql))
              : service->min_irql == PASSIVE_LEVEL
                  ? absl::StrCat("at or below ", IrqlName(service->max_irql))
                  : absl::StrCat("from ", IrqlName(service->min_irql), " to ",
                                 IrqlName(service->max_irql));
    Report("irql", service->name,
           absl::StrCat("called at ", IrqlName(irql), "; it may be called ", allowed));
    return;
  }
}

}  // namespace cancelsafe::drivers
