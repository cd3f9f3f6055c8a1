// The header of version 1 of the byte form, which keeps being read and is no longer
// written. bytes.h has what is behind it, which differs in the item byte alone
// (item | irql << 4). Multi-byte numbers are little-endian.
//
//   offset 0   0xCA 's' (tag), family, 1
//          4   ex 1, pending 2, mutex 4, start by key 8, insert policy 0x30, peek 0xC0
//          5   reentry 0x03, reentry item 0x1C, StartIo style 0x60
//          6   failing insert 0x0F, cancelling insert 0xF0
//          7   number of fibers - 1
//          8   scheduler, parameter, seed (4 bytes)
//         14   number of operations, reserved (0)
#ifndef CANCELSAFE_FUZZERS_PROGRAM_BYTES_VERSION_1_H_
#define CANCELSAFE_FUZZERS_PROGRAM_BYTES_VERSION_1_H_

#include <cstdint>

#include "fuzzers/program/program.h"

namespace cancelsafe {

// Reads the setup, the number of fibers and the scheduler; all of the header's 16 bytes
// have to be there. Values out of range are left to Normalize.
void DecodeVersion1Header(const uint8_t* header, Program* program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_BYTES_VERSION_1_H_
