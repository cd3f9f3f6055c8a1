// Runs programs of the machine room on fibers under a schedule, one at a time, with a
// place to switch at before every load and store of the room.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_RUN_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_RUN_H_

#include <cstdint>
#include <string>

#include "base/random.h"
#include "fuzzers/machine_room/explored/world.h"
#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/explore.h"

namespace cancelsafe {

// One per process.
class RoomRunner {
 public:
  explicit RoomRunner(const MachineRoom& room);

  // "" if all is well, else what was wrong.
  std::string Run(const RoomProgram& program, const schedule::Schedule& schedule);
  // Of all decisions of the last Run.
  uint64_t digest() const { return digest_; }

  struct Explored {
    std::string failure;  // of the first run that failed
    int64_t runs = 0;
    bool complete = false;
  };
  // All schedules with at most `preemptions`, or the first that fails.
  Explored Explore(const RoomProgram& program, int preemptions, int64_t max_runs);

 private:
  std::string Verdict(const schedule::RunResult& result);

  RoomWorld world_;
  uint64_t digest_ = 0;
};

// The runner of the room in the shared object `path`. Ends the process if there is none.
RoomRunner& RunnerOf(const std::string& path);

// A random program and a random schedule for it.
struct RoomInput {
  RoomProgram program;
  schedule::Schedule schedule;
};
RoomInput RandomRoomInput(Random* random);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_RUN_H_
