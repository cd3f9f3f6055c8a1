// Mutation and cross-over of programs for a driver, with what is known of the driver: changes
// of requests, fibers, contents and schedule, never of raw bytes. No fuzz engine is known here;
// the byte-level forms have the shapes that engines ask for. All are functions of their
// arguments.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_MUTATE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_MUTATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/drivers/program/driver_learnt.h"
#include "fuzzers/drivers/program/driver_program.h"
#include "fuzzers/drivers/program/profile.h"

namespace cancelsafe::drivers {

// What a mutator draws from; `learnt` outlives it.
struct DriverMutator {
  explicit DriverMutator(const DriverLearnt* known) : learnt(*known) {}
  const DriverLearnt& learnt;
  // Of every program; unnamed where the build has no memory engine.
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;
  // Of the driver's profile, and then no others are sent; null for none. They outlive it.
  const std::vector<ProfileRequest>* requests = nullptr;
  bool has_profile() const { return requests != nullptr && !requests->empty(); }
  DriverVocabulary Vocabulary() const;

  // A new program, whose requests have lengths and contents that were learnt.
  DriverProgram Generate(Random* random) const;
  // One to four changes.
  void Mutate(Random* random, DriverProgram* program) const;
  // Fibers or ends of both parents, under a schedule of one.
  DriverProgram Cross(const DriverProgram& a, const DriverProgram& b, Random* random) const;

  // For LLVMFuzzerCustomMutator and afl_custom_fuzz: reads bytes or text, writes bytes in place.
  // What is too short for a program is answered with a generated one, and so is one in a few
  // others. Returns the new size, at most size_max.
  size_t MutateBytes(uint8_t* data, size_t size, size_t size_max, uint32_t seed) const;
  // For LLVMFuzzerCustomCrossOver.
  size_t CrossBytes(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                    uint8_t* out, size_t size_max, uint32_t seed) const;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_MUTATE_H_
