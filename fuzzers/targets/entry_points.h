// The entry points by which libFuzzer and AFL++ call a target. Included once by
// each glue file, after it has defined kTargetFamily and TargetImplementation().
#ifndef CANCELSAFE_FUZZERS_TARGETS_ENTRY_POINTS_H_
#define CANCELSAFE_FUZZERS_TARGETS_ENTRY_POINTS_H_

#include "fuzzers/targets/target.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  cancelsafe::StartTarget(kTargetFamily, TargetImplementation(), argc, argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cancelsafe::RunTargetInput(data, size);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return cancelsafe::MutateTargetInput(data, size, max_size, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1,
                                            const uint8_t* data2, size_t size2, uint8_t* out,
                                            size_t max_size, unsigned seed) {
  return cancelsafe::CrossTargetInputs(data1, size1, data2, size2, out, max_size, seed);
}

#endif  // CANCELSAFE_FUZZERS_TARGETS_ENTRY_POINTS_H_
