// The structure-aware mutator and cross-over as a shared object for AFL++
// (AFL_CUSTOM_MUTATOR_LIBRARY), which never calls those of a target. Nothing is
// decided here but how many changes an input gets.
//
// CANCELSAFE_FAMILY in the environment says for which family: csq, device-queue,
// start-io or callback-data-queue.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/mutate.h"

namespace {

using cancelsafe::Family;
using cancelsafe::kMaxProgramBytes;

struct Mutator {
  Family family;
  cancelsafe::Random random;
  uint8_t out[kMaxProgramBytes];
};

// One input in so many is a generated program that has no parent.
constexpr int kGeneratedOneIn = 32;

bool ReadFamily(Family* family) {
  const char* name = getenv("CANCELSAFE_FAMILY");
  for (int i = 0; name != nullptr && i < cancelsafe::kFamilyCount; ++i) {
    *family = static_cast<Family>(i);
    if (strcmp(name, cancelsafe::FamilyName(*family)) == 0) return true;
  }
  return false;
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)

// `afl` is the engine's own state. Null, with which AFL++ gives up, if the family is
// not known.
void* afl_custom_init(void* afl, unsigned seed);
void* afl_custom_init(void*, unsigned seed) {
  Family family;
  if (!ReadFamily(&family)) {
    fprintf(stderr, "cancelsafe: CANCELSAFE_FAMILY names no family of queues\n");
    return nullptr;
  }
  return new Mutator{family, cancelsafe::Random(seed), {}};
}

void afl_custom_deinit(Mutator* mutator);
void afl_custom_deinit(Mutator* mutator) { delete mutator; }

// A changed copy of `data`, often crossed with `other`, an entry of the queue, before.
// `*out` is valid until the next call.
size_t afl_custom_fuzz(Mutator* mutator, const uint8_t* data, size_t size, uint8_t** out,
                       const uint8_t* other, size_t other_size, size_t size_max);
size_t afl_custom_fuzz(Mutator* mutator, const uint8_t* data, size_t size, uint8_t** out,
                       const uint8_t* other, size_t other_size, size_t size_max) {
  const auto seed = [mutator] { return static_cast<uint32_t>(mutator->random.Next()); };
  const size_t room = std::min(size_max, kMaxProgramBytes);
  *out = mutator->out;
  if (mutator->random.OneIn(kGeneratedOneIn)) {
    return cancelsafe::MutateBytes(mutator->family, mutator->out, 0, room, seed());
  }
  size_t result = std::min(size, room);
  if (other != nullptr && other_size != 0 && mutator->random.OneIn(2)) {
    result = cancelsafe::CrossBytes(mutator->family, data, size, other, other_size, mutator->out,
                                    room, seed());
    // It is new as it is.
    if (mutator->random.OneIn(2)) return result;
  } else {
    memcpy(mutator->out, data, result);
  }
  do {
    result = cancelsafe::MutateBytes(mutator->family, mutator->out, result, room, seed());
  } while (mutator->random.OneIn(3));
  return result;
}

#pragma GCC visibility pop
}  // extern "C"
