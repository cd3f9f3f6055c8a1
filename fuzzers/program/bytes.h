// The byte form of a program: what fuzz engines mutate and crash files hold.
// Decoding is total, so that no input is wasted; strict checks of a file that a
// person names are in program_file.h.
//
// Version 2. Multi-byte numbers are little-endian; bytes beyond the end count as
// zero, and choices beyond the end mean "go on", so every prefix is a program.
//
//   offset 0   0xCA 's' (tag), family, format version
//          4   number of fibers - 1, number of schedules - 1
//          6   scheduler, parameter, seed (4 bytes)
//         12   number of operations (2 bytes)
//         14   number of settings
//         15   bits 0-1 memory model (0 unnamed), bits 2-7 number of stale choices
//         16   settings of 2 bytes: row of the setup table, value
//          .   operations of 8 bytes: op | fiber << 6, item | irql << 6, flags,
//              selector, key (4 bytes)
//          .   stale choices of 4 bytes: number (2 bytes), index | kind << 6, alternatives
//          .   choices of 3 bytes up to the end: step (2 bytes), fiber
//
// Settings that are not named have the family's plain values, so that a family's
// encoding does not change when another one gets a setting. Version 1 had a bit field
// for all settings and no number of schedules; see bytes_version_1.cc. Bytes whose
// version is 1 are of version 1, all others of version 2.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_BYTES_H_
#define CANCELSAFE_FUZZERS_PROGRAM_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "fuzzers/program/program.h"
#include "fuzzers/program/schedule_form.h"
#include "oracle/setup_table.h"

namespace cancelsafe {

// Old versions keep decoding; a change of layout takes the next number.
inline constexpr uint8_t kProgramFormatVersion = 2;

inline constexpr size_t kProgramHeaderBytes = 16;
inline constexpr size_t kSettingBytes = 2;
inline constexpr size_t kOperationBytes = 8;
inline constexpr size_t kMaxSettings = kSetupFieldCount;
inline constexpr size_t kMaxProgramBytes = kProgramHeaderBytes + kMaxSettings * kSettingBytes +
                                           kMaxOperations * kOperationBytes + kMaxScheduleListBytes;

// Any bytes, none included, are a program of `family`; the tag is not looked at
// (DetectFamily does that). The result is normalized. O(size), reads at most
// kMaxProgramBytes, allocates nothing.
void DecodeProgram(Family family, const uint8_t* data, size_t size, Program* program);

// The inverse: decoding the result gives the normalized program, with at most
// kMaxEncodedChoices choices. Returns the number of bytes written. If `capacity` is too small,
// leaves out the last choices, then the last stale choices, operations and settings; writes
// nothing and returns 0 if not even the header fits. kMaxProgramBytes always suffice.
size_t EncodeProgram(const Program& program, uint8_t* out, size_t capacity);
// Likewise for a program that is normalized already.
size_t EncodeNormalized(const Program& normal, uint8_t* out, size_t capacity);

// How many bytes come before the operations, and how many operations there are, as the
// header says: bounded by nothing but its own width.
struct ProgramLayout {
  size_t operations_at = kProgramHeaderBytes;
  size_t operations = 0;
  size_t settings = 0;
  size_t stale_choices = 0;  // they follow the operations
};
// Requires a whole header.
ProgramLayout LayoutOf(const uint8_t* header);

// The family that an encoded program names in its tag, whatever its format
// version; nothing if these bytes do not begin with a tag.
std::optional<Family> DetectFamily(const uint8_t* data, size_t size);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_BYTES_H_
