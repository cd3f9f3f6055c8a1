// Small programs against the machine room itself, and against the queues on it: two or
// three processors, each with what must hold at its end. They are instrumented
// together with the machine room, all of whose accesses are seen here.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_SCENARIOS_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_SCENARIOS_H_

#include "impl/kernel/platform.h"

namespace cancelsafe::machine_room {

inline constexpr int kMaxProcessors = 3;

struct Scenario {
  const char* name;
  const char* demand;  // what `holds` checks, and that no access races
  int processors;
  UCHAR id[kMaxProcessors];  // of the processors; the same modulo 64 means the same share
  void (*set_up)();          // on the main context
  void (*body)(int processor);
  bool (*holds)();  // on the main context, after all bodies
};

struct ScenarioArray {
  const Scenario* scenarios;
  int count;
};
extern const ScenarioArray kernel_scenarios;  // locks, cancellation, completion
extern const ScenarioArray queue_scenarios;   // cancel-safe queue, StartIo

struct ScenarioList {
  ScenarioArray parts[2];
  void (*set_platform)(const KiPlatform* platform);
};

}  // namespace cancelsafe::machine_room

// What a machine room in a shared object exports.
extern "C" const cancelsafe::machine_room::ScenarioList* CancelsafeMachineRoom(void);

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_SCENARIOS_H_
