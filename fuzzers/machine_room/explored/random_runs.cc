// random_runs ROOM PROGRAMS: runs random programs on the machine room in a shared object,
// and prints what each came to and the digest of its decisions. Two processes print the
// same, wherever the system puts their memory.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/machine_room/explored/run.h"

int main(int argc, char** argv) {
  using namespace cancelsafe;  // NOLINT(google-build-using-namespace)
  if (argc != 3) return 2;
  RoomRunner& runner = RunnerOf(argv[1]);
  Random random(1);
  // What a mutant that crashes printed before is part of what is compared.
  setvbuf(stdout, nullptr, _IOLBF, 0);
  for (int left = atoi(argv[2]); left > 0; --left) {
    const RoomInput input = RandomRoomInput(&random);
    const std::string failure = runner.Run(input.program, input.schedule);
    printf("%016" PRIx64 " %s\n", runner.digest(), failure.c_str());
  }
  return 0;
}
