// See scenarios.h: what a machine room, built in or a shared object, hands to its host.
#include "fuzzers/machine_room/scenarios.h"

extern "C" __attribute__((visibility("default"))) const cancelsafe::machine_room::ScenarioList*
CancelsafeMachineRoom(void) {
  using cancelsafe::machine_room::ScenarioList;
  static ScenarioList list;
  list = {{cancelsafe::machine_room::kernel_scenarios, cancelsafe::machine_room::queue_scenarios},
          &KiSetPlatform};
  return &list;
}
