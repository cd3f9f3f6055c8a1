// What traced code does to the memory that it shares with the driver, in one run: which words
// changed, after which place of the code, between which points of the harness (calls of
// services and callbacks, locks). For a process of its own, in which the same program gives the
// same addresses. Judges nothing.
#ifndef CANCELSAFE_FUZZERS_CHECK_EFFECTS_H_
#define CANCELSAFE_FUZZERS_CHECK_EFFECTS_H_

#include <cstdint>

#include "fuzzers/run/runner.h"

namespace cancelsafe {

// One point, or one word that changed.
struct Effect {
  static constexpr int kFramesMax = 4;

  bool is_point = false;
  uint8_t kind = 0;  // of the point
  uint8_t fiber = 0;
  uint64_t where = 0;   // the point's object, or the word
  uint64_t before = 0;  // of the word; kCode for what points into code
  uint64_t value = 0;   // likewise, as it is then
  // Where the code under test was last, before this: how far behind its begin, innermost first.
  int frames = 0;
  uint64_t frame[kFramesMax] = {};

  uint64_t compared = 0;  // the last comparison there, likewise
  uint64_t stored = 0;    // the last that it stored, in its own variables too
  uint64_t block = 0;     // the last block that it entered
  uint64_t entered = 0;   // where it was before, if that is in the same call of a function

  static constexpr uint64_t kCode = 0xC0DEC0DEC0DEC0DE;
};

// Memory that is watched, in blocks: what the code accesses, and what is near, so that what
// services and atomic operations change is seen too.
struct WatchedMemory {
  static constexpr uintptr_t kBlockBytes = 128;
  static constexpr int kBlocksMax = 512;

  int count = 0;
  uintptr_t block[kBlocksMax] = {};
};

struct EffectList {
  static constexpr int kMax = 6000;

  int count = 0;
  // Where the code was when the run ended.
  Effect end;
  Effect effects[kMax];
};

// The code whose places are told, and the shared object that it is in: all code of that has
// frame pointers.
struct CodeUnderTest {
  uintptr_t begin = 0;
  uint64_t size = 0;
  uintptr_t module_begin = 0;
  uintptr_t module_end = 0;
};

// Runs the program as its schedule says, and adds to `watched` what the code accesses, other
// than its stack and its own variables.
void FindWatchedMemory(Runner* runner, const Program& program, const CodeUnderTest& code,
                       WatchedMemory* watched);

// Likewise, and fills in `effects`. Both are shared memory: what a run that is lost did until
// then is there.
void RecordEffects(Runner* runner, const Program& program, const CodeUnderTest& code,
                   const WatchedMemory& watched, EffectList* effects);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_EFFECTS_H_
