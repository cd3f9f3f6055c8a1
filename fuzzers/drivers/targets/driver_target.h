// A driver as a fuzz target: the life of one process that an engine feeds inputs to. The
// engine's entry points are in fuzzers/targets/driver_fuzzer.cc; nothing here knows which engine
// it is.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_H_
#define CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_H_

#include <cstddef>
#include <cstdint>

namespace cancelsafe::drivers {

// Reads and removes the target's own flags (see --help), loads the driver and learns what it
// offers. Exits with 2 for a bad flag or a driver that cannot be loaded, 3 for a file that
// cannot be used.
void StartDriverTarget(int* argc, char*** argv);

// Runs one input under the schedules that it stands for. On a violation saves the program as
// text that `cancelsafe replay` reads, and aborts, which is how engines are told.
void RunDriverInput(const uint8_t* data, size_t size);

// The engine's mutator and cross-over on the byte form.
size_t MutateDriverInput(uint8_t* data, size_t size, size_t size_max, unsigned seed);
size_t CrossDriverInputs(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                         uint8_t* out, size_t size_max, unsigned seed);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_H_
