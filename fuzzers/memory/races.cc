// See races.h.
#include "fuzzers/memory/races.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cancelsafe::memory {
namespace {

using Sites = std::pair<uint32_t, uint32_t>;  // the smaller one first
std::vector<Sites> ignored;

bool IsIgnored(uint32_t site, uint32_t other) {
  if (ignored.empty()) return false;
  const Sites sites = std::minmax(site, other);
  return std::find(ignored.begin(), ignored.end(), sites) != ignored.end();
}

bool Note(const RaceSide& earlier, const RaceSide& later, Race* race) {
  if (race->found) return true;
  if (IsIgnored(earlier.site, later.site)) return false;
  race->found = true;
  race->earlier = earlier;
  race->later = later;
  return true;
}

// The lowest fiber whose lane is beyond what `clock` covers. There is one.
int FirstBeyond(Lanes lanes, const Clock& clock) {
  int fiber = 0;
  while (clock.Covers(fiber, lanes[fiber])) ++fiber;
  return fiber;
}

bool AgainstWrite(const Cell& cell, const Actor& actor, bool write, bool atomic, Race* race) {
  if (cell.write_lane == 0 || actor.clock.Covers(cell.write_fiber, cell.write_lane)) return false;
  return Note({cell.write_fiber, cell.write_site, true, false},
              {actor.fiber, actor.site, write, atomic}, race);
}

bool AgainstReads(const Cell& cell, const Actor& actor, bool atomic, Race* race) {
  if (actor.clock.CoversAll(cell.reads)) return false;
  const int fiber = FirstBeyond(cell.reads, actor.clock);
  return Note({fiber, cell.read_site[fiber], false, false}, {actor.fiber, actor.site, true, atomic},
              race);
}

bool AgainstAtomicWrites(const Location& location, const Actor& actor, bool write, Race* race) {
  if (actor.clock.CoversAll(location.atomic_writes)) return false;
  const int fiber = FirstBeyond(location.atomic_writes, actor.clock);
  return Note({fiber, location.write_site[fiber], true, true},
              {actor.fiber, actor.site, write, false}, race);
}

bool AgainstAtomicReads(const Location& location, const Actor& actor, Race* race) {
  if (actor.clock.CoversAll(location.atomic_reads)) return false;
  const int fiber = FirstBeyond(location.atomic_reads, actor.clock);
  return Note({fiber, location.read_site[fiber], false, true},
              {actor.fiber, actor.site, true, false}, race);
}

}  // namespace

void IgnoreRacesBetween(uint32_t site, uint32_t other) {
  if (!IsIgnored(site, other)) ignored.push_back(std::minmax(site, other));
}

void CountAllRaces() { ignored.clear(); }

bool ReadRaces(const Cell& cell, const Location* location, const Actor& actor, Race* race) {
  return AgainstWrite(cell, actor, false, false, race) ||
         (location != nullptr && AgainstAtomicWrites(*location, actor, false, race));
}

bool WriteRaces(const Cell& cell, const Location* location, const Actor& actor, Race* race) {
  return AgainstWrite(cell, actor, true, false, race) || AgainstReads(cell, actor, false, race) ||
         (location != nullptr && (AgainstAtomicWrites(*location, actor, true, race) ||
                                  AgainstAtomicReads(*location, actor, race)));
}

bool AtomicReadRaces(const Cell& cell, const Actor& actor, Race* race) {
  return AgainstWrite(cell, actor, false, true, race);
}

bool AtomicWriteRaces(const Cell& cell, const Actor& actor, Race* race) {
  return AgainstWrite(cell, actor, true, true, race) || AgainstReads(cell, actor, true, race);
}

}  // namespace cancelsafe::memory
