// The structure-aware mutator and cross-over as a shared object for AFL++
// (AFL_CUSTOM_MUTATOR_LIBRARY), which never calls those of a target. Nothing is
// decided here but how many changes an input gets.
//
// CANCELSAFE_FAMILY in the environment says for which family, by any spelling that a
// target's name may have.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/mutate.h"
#include "oracle/family.h"

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
constexpr int kUsageError = 2;

// AFL++ goes on with a mutator that could not be made, and crashes: so the process ends here.
Family ReadFamily() {
  const char* name = getenv("CANCELSAFE_FAMILY");
  const std::optional<Family> family = cancelsafe::FindFamily(name == nullptr ? "" : name);
  if (family) return *family;
  fprintf(stderr, "cancelsafe: CANCELSAFE_FAMILY is '%s'; it must be one of %s\n",
          name == nullptr ? "" : name, cancelsafe::FamilyNames().c_str());
  exit(kUsageError);
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)

// `afl` is the engine's own state. Ends the process with 2 and a sentence if the
// environment does not name a family.
void* afl_custom_init(void* afl, unsigned seed);
void* afl_custom_init(void*, unsigned seed) {
  return new Mutator{ReadFamily(), cancelsafe::Random(seed), {}};
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
