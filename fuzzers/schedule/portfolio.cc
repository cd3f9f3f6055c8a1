// See portfolio.h.
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {

Scheduler* SchedulerOf(Kind kind) {
  switch (kind) {
    case Kind::kChoices:
      break;
#define CANCELSAFE_SCHEDULER(kind, name, Name, parameters) \
  case Kind::kind:                                         \
    return Name##Scheduler();
#include "fuzzers/schedule/schedulers.def"
#undef CANCELSAFE_SCHEDULER
  }
  return nullptr;
}

bool KindOf(std::string_view name, Kind* kind) {
  for (int i = 0; i < kKindCount; ++i) {
    if (name != kKindNames[i]) continue;
    *kind = static_cast<Kind>(i);
    return true;
  }
  return false;
}

std::string SchedulerNames() {
  std::string names;
  for (int i = 1; i < kKindCount; ++i) names += (i == 1 ? "" : ", ") + std::string(kKindNames[i]);
  return names;
}

}  // namespace cancelsafe::schedule
