// Fuzzes a driver (--driver=FILE.sys): the entry points by which libFuzzer and AFL++ call its
// target.
#include "fuzzers/drivers/targets/driver_target.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  cancelsafe::drivers::StartDriverTarget(argc, argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cancelsafe::drivers::RunDriverInput(data, size);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  return cancelsafe::drivers::MutateDriverInput(data, size, size_max, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1,
                                            const uint8_t* data2, size_t size2, uint8_t* out,
                                            size_t size_max, unsigned seed) {
  return cancelsafe::drivers::CrossDriverInputs(data1, size1, data2, size2, out, size_max, seed);
}
