// The structure-aware mutator and cross-over as a shared object for AFL++
// (AFL_CUSTOM_MUTATOR_LIBRARY), which never calls those of a target. Nothing is
// decided here but how many changes an input gets.
//
// CANCELSAFE_FAMILY in the environment says for which family, by any spelling that a
// target's name may have, or "driver". A driver's has two more: CANCELSAFE_LEARNT, the file in
// which the target keeps what it learns, and CANCELSAFE_MEMORY, the model of memory.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_mutate.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/mutate.h"
#include "oracle/family.h"

namespace {

using cancelsafe::Family;

// Programs of one kind.
class Inputs {
 public:
  virtual ~Inputs() = default;
  virtual size_t BytesMax() const = 0;
  virtual size_t Mutate(uint8_t* data, size_t size, size_t size_max, uint32_t seed) const = 0;
  virtual size_t Cross(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                       uint8_t* out, size_t size_max, uint32_t seed) const = 0;
};

class QueueInputs final : public Inputs {
 public:
  explicit QueueInputs(Family family) : family_(family) {}
  size_t BytesMax() const override { return cancelsafe::kMaxProgramBytes; }
  size_t Mutate(uint8_t* data, size_t size, size_t size_max, uint32_t seed) const override {
    return cancelsafe::MutateBytes(family_, data, size, size_max, seed);
  }
  size_t Cross(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2, uint8_t* out,
               size_t size_max, uint32_t seed) const override {
    return cancelsafe::CrossBytes(family_, data1, size1, data2, size2, out, size_max, seed);
  }

 private:
  const Family family_;
};

class DriverInputs final : public Inputs {
 public:
  DriverInputs(const cancelsafe::drivers::DriverLearnt* learnt,
               cancelsafe::schedule::MemoryModel memory)
      : mutator_(learnt) {
    mutator_.memory = memory;
  }
  size_t BytesMax() const override { return cancelsafe::drivers::kMaxDriverBytes; }
  size_t Mutate(uint8_t* data, size_t size, size_t size_max, uint32_t seed) const override {
    return mutator_.MutateBytes(data, size, size_max, seed);
  }
  size_t Cross(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2, uint8_t* out,
               size_t size_max, uint32_t seed) const override {
    return mutator_.CrossBytes(data1, size1, data2, size2, out, size_max, seed);
  }

 private:
  cancelsafe::drivers::DriverMutator mutator_;
};

struct Mutator {
  std::unique_ptr<const Inputs> inputs;
  cancelsafe::Random random;
  std::vector<uint8_t> out;
};

// One input in so many is a generated program that has no parent.
constexpr int kGeneratedOneIn = 32;
constexpr int kUsageError = 2;

// AFL++ goes on with a mutator that could not be made, and crashes: so the process ends here.
[[noreturn]] void Fail(const std::string& message) {
  fprintf(stderr, "cancelsafe: %s\n", message.c_str());
  exit(kUsageError);
}

std::string Setting(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

std::unique_ptr<const Inputs> DriverInputsHere() {
  std::string error;
  const auto* const learnt =
      cancelsafe::drivers::DriverLearnt::Map(Setting("CANCELSAFE_LEARNT"), &error);
  if (learnt == nullptr) Fail("CANCELSAFE_LEARNT: " + error);
  const std::string memory = Setting("CANCELSAFE_MEMORY");
  for (int i = 0; i < cancelsafe::schedule::kMemoryModelCount; ++i) {
    if (memory != cancelsafe::schedule::kMemoryModelNames[i]) continue;
    return std::make_unique<DriverInputs>(learnt,
                                          static_cast<cancelsafe::schedule::MemoryModel>(i));
  }
  Fail("CANCELSAFE_MEMORY is '" + memory + "'; it must be sc, tso, rc11 or empty");
}

std::unique_ptr<const Inputs> InputsHere() {
  const std::string name = Setting("CANCELSAFE_FAMILY");
  if (name == "driver") return DriverInputsHere();
  const std::optional<Family> family = cancelsafe::FindFamily(name);
  if (family) return std::make_unique<QueueInputs>(*family);
  Fail("CANCELSAFE_FAMILY is '" + name + "'; it must be one of " + cancelsafe::FamilyNames() +
       ", driver");
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)

// `afl` is the engine's own state. Ends the process with 2 and a sentence if the
// environment does not name a family.
void* afl_custom_init(void* afl, unsigned seed);
void* afl_custom_init(void*, unsigned seed) {
  auto* const mutator = new Mutator{InputsHere(), cancelsafe::Random(seed), {}};
  mutator->out.resize(mutator->inputs->BytesMax());
  return mutator;
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
  const Inputs& inputs = *mutator->inputs;
  uint8_t* const to = mutator->out.data();
  const size_t room = std::min(size_max, mutator->out.size());
  *out = to;
  if (mutator->random.OneIn(kGeneratedOneIn)) return inputs.Mutate(to, 0, room, seed());
  size_t result = std::min(size, room);
  if (other != nullptr && other_size != 0 && mutator->random.OneIn(2)) {
    result = inputs.Cross(data, size, other, other_size, to, room, seed());
    // It is new as it is.
    if (mutator->random.OneIn(2)) return result;
  } else {
    memcpy(to, data, result);
  }
  do {
    result = inputs.Mutate(to, result, room, seed());
  } while (mutator->random.OneIn(3));
  return result;
}

#pragma GCC visibility pop
}  // extern "C"
