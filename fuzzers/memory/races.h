// When two accesses are a data race: they touch a byte in common, at least one of them
// writes and at least one is plain, and neither happens before the other. Exact up to the
// first race of a run: of each byte the last plain write is kept, and each fiber's last
// read and last atomic accesses; what came before them is ordered before them.
#ifndef CANCELSAFE_FUZZERS_MEMORY_RACES_H_
#define CANCELSAFE_FUZZERS_MEMORY_RACES_H_

#include <cstdint>

#include "fuzzers/memory/clocks.h"
#include "fuzzers/memory/locations.h"
#include "fuzzers/memory/shadow.h"

namespace cancelsafe::memory {

struct RaceSide {
  int fiber = 0;
  uint32_t site = 0;  // low half of the code address
  bool write = false;
  bool atomic = false;
};

// The first race of a run. `earlier` was executed before `later`.
struct Race {
  bool found = false;
  RaceSide earlier;
  RaceSide later;
  uintptr_t address = 0;  // of the first byte of the later access in that word
};

// Races between these two places of the code do not count from now on, in whatever order
// they are met: they are neither noted nor do they hide a race that counts.
void IgnoreRacesBetween(uint32_t site, uint32_t other);
// All races count again.
void CountAllRaces();

// Who is making an access.
struct Actor {
  int fiber;
  const Clock& clock;
  uint32_t site;
};

// Whether an access of `actor` races with an earlier one to the bytes of `cell`; notes
// the race if it is the run's first. `location` is the history of the cell, or null.
// None of them remembers the access: see the functions below.
bool ReadRaces(const Cell& cell, const Location* location, const Actor& actor, Race* race);
bool WriteRaces(const Cell& cell, const Location* location, const Actor& actor, Race* race);
bool AtomicReadRaces(const Cell& cell, const Actor& actor, Race* race);
bool AtomicWriteRaces(const Cell& cell, const Actor& actor, Race* race);

inline void RememberRead(Cell* cell, const Actor& actor) {
  CopyLane(actor.clock.lanes(), actor.fiber, &cell->reads);
  cell->read_site[actor.fiber] = actor.site;
}
inline void RememberWrite(Cell* cell, Location* location, const Actor& actor) {
  cell->write_lane = actor.clock[actor.fiber];
  cell->write_fiber = static_cast<uint8_t>(actor.fiber);
  cell->write_site = actor.site;
  if (location == nullptr) return;
  location->overwritten = true;
  location->overwritten_by = cell->write_fiber;
  location->overwritten_lane = cell->write_lane;
  location->overwritten_site = actor.site;
}
inline void RememberAtomicRead(Location* location, const Actor& actor) {
  location->atomic_reads[actor.fiber] = actor.clock[actor.fiber];
  location->read_site[actor.fiber] = actor.site;
}
inline void RememberAtomicWrite(Location* location, const Actor& actor) {
  location->atomic_writes[actor.fiber] = actor.clock[actor.fiber];
  location->write_site[actor.fiber] = actor.site;
}

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_RACES_H_
