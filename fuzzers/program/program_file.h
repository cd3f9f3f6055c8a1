// Files that hold a program in either form. One reader is strict and explains,
// for files that a person names; the other takes anything, for fuzz engines.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_FILE_H_
#define CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_FILE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/program/program.h"
#include "fuzzers/program/text.h"

namespace cancelsafe {

// Whether these bytes are a complete program in the byte form, as EncodeProgram
// writes it. An InvalidArgumentError of one line tells foreign, truncated,
// oversized and too new files apart.
absl::Status CheckProgramBytes(absl::string_view bytes);

// Text or bytes, checked. For untrusted input; errors are one line.
absl::StatusOr<ProgramFile> ReadProgramFile(absl::string_view contents);

// Text of this family, else whatever DecodeProgram makes of the bytes: total, so
// that an engine can be given a folder of readable seeds. Does not allocate for
// bytes that EncodeProgram wrote.
void LoadProgram(Family family, const uint8_t* data, size_t size, Program* program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_FILE_H_
