// Runs the scenarios of a machine room on fibers under the memory engine: one run for a
// schedule, many for a search. Knows neither locks nor IRPs, only that a scenario holds,
// and that nothing races.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_ROOM_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_ROOM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/machine_room/scenarios.h"
#include "fuzzers/memory/order.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::machine_room {

// The built-in machine room, linked into this program.
const ScenarioList& BuiltIn();

// That of a shared object, which is unloaded again.
class LoadedRoom {
 public:
  // *error says why the list is missing.
  LoadedRoom(const std::string& path, std::string* error);
  ~LoadedRoom();
  LoadedRoom(const LoadedRoom&) = delete;
  LoadedRoom& operator=(const LoadedRoom&) = delete;

  const ScenarioList* list() const { return list_; }  // null after an error

 private:
  void* module_;
  const ScenarioList* list_ = nullptr;
};

std::vector<Scenario> AllScenarios(const ScenarioList& list);
// The process ends if there is none of that name.
Scenario FindScenario(const ScenarioList& list, const std::string& name);

// What is wrong with a run: "" for nothing, "data-race", "memory-error", "deadlock",
// "livelock", "violation" or "broken" (the scenario's demand).
struct Finding {
  std::string kind;
  std::string text;  // one line
  schedule::Schedule executed;
};

// One run, deterministic.
Finding RunOnce(const ScenarioList& list, const Scenario& scenario, memory::Model model,
                const schedule::Schedule& schedule);

struct SearchResult {
  Finding finding;  // the first one; kind is "" if there is none
  int64_t runs = 0;
};
// Random schedules from `seed`, `runs_max` of them or until one finds something.
SearchResult Search(const ScenarioList& list, const Scenario& scenario, memory::Model model,
                    uint32_t seed, int64_t runs_max);

}  // namespace cancelsafe::machine_room

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_ROOM_H_
