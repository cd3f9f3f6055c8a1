#include "fuzzers/schedule/race_toy.h"

static void Acquire(struct RaceToy* toy) {
  RaceToyPoint(1, &toy->owned);
  while (__atomic_exchange_n(&toy->owned, 1, __ATOMIC_ACQUIRE) != 0) RaceToyBlock(&toy->owned);
}

static void Release(struct RaceToy* toy, int order) {
  if (order == __ATOMIC_RELAXED) {
    __atomic_store_n(&toy->owned, 0, __ATOMIC_RELAXED);
  } else {
    __atomic_store_n(&toy->owned, 0, __ATOMIC_RELEASE);
  }
  RaceToyWake(&toy->owned);
  RaceToyPoint(2, &toy->owned);
}

void RaceToyBody(struct RaceToy* toy, enum RaceToyFlaw flaw, int fiber) {
  for (int i = 0; i < 3; ++i) {
    Acquire(toy);
    toy->counter += 1;
    if (flaw == kRaceToyAbandonsTheLock && fiber == 0 && i == 1) RaceToyStop();
    Release(toy, flaw == kRaceToyRelaxedRelease ? __ATOMIC_RELAXED : __ATOMIC_RELEASE);
    if (flaw == kRaceToyUnlockedRead && fiber == 1) {
      RaceToyPoint(3, &toy->counter);
      if (toy->counter < 0) toy->counter = 0;
    }
  }
}
