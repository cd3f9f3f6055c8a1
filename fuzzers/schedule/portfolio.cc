#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

constexpr std::string_view kNames[kKindCount] = {"choices", "random", "sticky", "pct",
                                                 "pos",     "urw",    "surw",   "starve"};

}  // namespace

Scheduler* SchedulerOf(Kind kind) {
  switch (kind) {
    case Kind::kChoices:
      break;
    case Kind::kRandom:
      return RandomScheduler();
    case Kind::kSticky:
      return StickyScheduler();
    case Kind::kPct:
      return PctScheduler();
    case Kind::kPos:
      return PosScheduler();
    case Kind::kUrw:
      return UrwScheduler();
    case Kind::kSurw:
      return SurwScheduler();
    case Kind::kStarve:
      return StarveScheduler();
  }
  return nullptr;
}

std::string_view NameOf(Kind kind) { return kNames[static_cast<int>(kind) % kKindCount]; }

bool KindOf(std::string_view name, Kind* kind) {
  for (int i = 0; i < kKindCount; ++i) {
    if (kNames[i] != name) continue;
    *kind = static_cast<Kind>(i);
    return true;
  }
  return false;
}

}  // namespace cancelsafe::schedule
