// Data races as values: takes TSan's reports in-process, without printing them,
// so that a race is a verdict like any other. Empty in the other flavours.
#ifndef CANCELSAFE_FUZZERS_RUN_RACE_H_
#define CANCELSAFE_FUZZERS_RUN_RACE_H_

#include <cstdint>

#include "oracle/verdict.h"

namespace cancelsafe {

struct RaceAccess {
  int thread = 0;
  int fiber = -1;  // -1: not known
  int size = 0;
  bool write = false;
  bool atomic = false;
  static constexpr int kFrames = 4;
  void* frame[kFrames] = {};
};

// The first race since the last ClearRace.
struct Race {
  bool found = false;
  bool use_after_free = false;
  RaceAccess access[2];
};

const Race& LastRace();
void ClearRace();
// Kinds of races that do not count from now on: they are neither kept nor do they hide
// a race that counts. `runner` is a number of whose runs follow: what IgnoreRacesLike has
// been told in another's runs is forgotten.
void IgnoreRaces(bool data_races, bool uses_after_free, int runner);
// Races between the two places of this one do not count from now on, likewise. False if
// they did not count before.
bool IgnoreRacesLike(const Race& race);
// How many races were reported since the last ClearRace, whether they count or not. A
// report costs TSan the more, the longer the fibers have been recorded.
int RaceReports();
// Both accesses with function, file and line; slow (symbolises).
Verdict RaceVerdict(const Race& race, Family family);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_RACE_H_
