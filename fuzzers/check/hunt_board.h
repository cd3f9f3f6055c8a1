// What a hunt and the children that run its programs share: plain values in shared memory,
// so that a child that is lost loses nothing.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_BOARD_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_BOARD_H_

#include <cstdint>

#include "fuzzers/check/call_site.h"
#include "fuzzers/check/effects.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/program.h"

namespace cancelsafe {

struct HuntBoard {
  static constexpr int kKept = 512;
  static constexpr int kTracedMax = 4096;
  static constexpr int kClauses = 256;

  Program program;   // the one under way, with its schedule
  int64_t next = 0;  // number of the program after it
  int64_t runs = 0;
  int64_t unknown = 0;
  bool found = false;  // it breaks a rule in a way not known yet
  bool done = false;   // the budget is used up

  // Programs that showed something new; the oldest are replaced.
  uint32_t kept_count = 0;
  uint16_t kept_size[kKept] = {};
  uint8_t kept[kKept][kMaxProgramBytes];

  // How often each clause was broken in this round, by a hash of its name.
  uint32_t broken[kClauses] = {};

  // Of one failure and one set of routines exchanged: whether it was gone, and the random
  // schedule that showed it, if one was needed.
  bool gone = false;
  int schedule_seed = -1;
  // Which of the routines that can be exchanged ran; of none of them if that is not known.
  static constexpr int kRoutinesMax = 64;
  bool ran[kRoutinesMax] = {};

  // What a look at one failure gave.
  CallSite site;
  int neighbours = 0;  // that were begun
  int failing = 0;
  int passing = 0;
  int traced_count = 0;
  struct Traced {
    uintptr_t block;
    uint32_t failing;  // programs in which it happened
    uint32_t passing;
    bool in_call;  // while the call of the verdict was open
  };
  Traced traced[kTracedMax];

  // What two runs of one program do: with the mistake, and with its routine exchanged.
  WatchedMemory watched;
  EffectList wrong;
  EffectList right;
};

// In memory that children share. Ends the process if there is none.
HuntBoard* NewHuntBoard();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_BOARD_H_
