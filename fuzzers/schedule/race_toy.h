// Two fibers on one counter, instrumented for TSan in race_toy.cc: the subject of
// the tests of race detection. Free-standing, so that no inline function is shared
// between instrumented and other code.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_RACE_TOY_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_RACE_TOY_H_

#ifdef __cplusplus
extern "C" {
#endif

struct RaceToy {
  int counter;
  int owned;  // the lock, atomic
};

enum RaceToyFlaw {
  kRaceToyCorrect,
  kRaceToyUnlockedRead,     // fiber 1 reads the counter without the lock
  kRaceToyRelaxedRelease,   // the lock is released without release order
  kRaceToyAbandonsTheLock,  // fiber 0 stops the run inside the lock
};

void RaceToyBody(struct RaceToy* toy, enum RaceToyFlaw flaw, int fiber);

// Given by the test: the executor's calls behind C names.
void RaceToyPoint(int kind, const volatile void* object);
void RaceToyBlock(const volatile void* object);
void RaceToyWake(const volatile void* object);
void RaceToyStop(void);

#ifdef __cplusplus
}
#endif

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_RACE_TOY_H_
