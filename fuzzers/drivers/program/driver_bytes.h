// The byte form of a program for a driver: what fuzz engines mutate. Decoding is total, so
// that no input is wasted. Files that people name are text (driver_text.h).
//
// Version 1. Multi-byte numbers are little-endian; bytes beyond the end count as zero, and
// choices beyond the end mean "go on", so every prefix is a program.
//
//   offset 0   0xCA 'd' (tag), format version, number of fibers - 1
//          4   fibers for what the driver starts
//          5   allocation that fails (2 bytes)
//          7   model of memory and number of stale choices (schedule_form.h)
//          8   scheduler, parameter, seed (4 bytes)
//         14   number of operations
//         15   operations: op | where << 4 (0: before the fibers, else 1 + fiber),
//              request | file << 4, code or number (4 bytes), in (2), out (2), number of bytes
//              of data, 0x80 beside it for buffers that are not there, and these bytes
//          .   stale choices and choices (schedule_form.h)
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_BYTES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_BYTES_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/drivers/program/driver_program.h"
#include "fuzzers/program/schedule_form.h"

namespace cancelsafe::drivers {

inline constexpr uint8_t kDriverFormatVersion = 1;
inline constexpr size_t kDriverHeaderBytes = 15;
inline constexpr size_t kDriverOperationBytes = 11;  // without its data
inline constexpr size_t kMaxDriverBytes = kDriverHeaderBytes +
                                          kMaxOperations * (kDriverOperationBytes + kMaxData) +
                                          kMaxScheduleListBytes;

// How many fibers the executor runs for a program: its own, the manager, the driver's.
inline int FibersOf(const DriverProgram& program) {
  return program.fibers + 1 + program.driver_fibers;
}

// Brings every member into its documented range, clears what an operation does not have, gives
// requests that are sent twice another number (leaves them out where there is none), puts what
// is done before the fibers first and then all of fiber 0, and sorts the choices. Idempotent.
// What it leaves is a text that ParseDriverProgram takes.
void NormalizeDriverProgram(DriverProgram* program);

// Any bytes, none included, are a program, which is normalized. The tag is not looked at.
// O(size), reads at most kMaxDriverBytes.
void DecodeDriverProgram(const uint8_t* data, size_t size, DriverProgram* program);

// The inverse: decoding the result gives the normalized program, with at most
// kMaxEncodedChoices choices. Returns the number of bytes written. If `capacity` is too small,
// leaves out the last choices, then operations; writes nothing and returns 0 if not even the
// header fits. kMaxDriverBytes always suffice.
size_t EncodeDriverProgram(const DriverProgram& program, uint8_t* out, size_t capacity);

// Text, if it begins as one and is right, else whatever DecodeDriverProgram makes of the bytes:
// an engine can be given a folder of readable files.
void LoadDriverProgram(const uint8_t* data, size_t size, DriverProgram* program);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_BYTES_H_
