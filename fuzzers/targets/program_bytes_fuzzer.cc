// Fuzzes the byte form of programs and the loaders of files: any bytes are a
// program of every family, which survives its own encoding; a strict reader either
// takes them or says why not in one line.
#include <cstdio>
#include <cstdlib>

#include "fuzzers/program/bytes.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/targets/coverage_map.h"

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "program_bytes_fuzzer: %s\n", what);
  abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cancelsafe::Family;
  cancelsafe::ClearCoverage();
  for (int family = 0; family < cancelsafe::kFamilyCount; ++family) {
    cancelsafe::Program program, again;
    cancelsafe::LoadProgram(static_cast<Family>(family), data, size, &program);
    uint8_t bytes[cancelsafe::kMaxProgramBytes];
    const size_t encoded = cancelsafe::EncodeProgram(program, bytes, sizeof bytes);
    Require(encoded != 0, "a program does not fit");
    const absl::string_view written(reinterpret_cast<const char*>(bytes), encoded);
    Require(cancelsafe::CheckProgramBytes(written).ok(), "what was encoded is refused");
    cancelsafe::DecodeProgram(static_cast<Family>(family), bytes, encoded, &again);
    Require(again == program, "what was encoded means something else");
    const absl::StatusOr<cancelsafe::Program> text =
        cancelsafe::ParseProgram(cancelsafe::PrintProgram(program));
    Require(text.ok() && *text == program, "the text of a program means something else");
  }
  const absl::string_view contents(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<cancelsafe::ProgramFile> file = cancelsafe::ReadProgramFile(contents);
  Require(file.ok() || file.status().message().find('\n') == absl::string_view::npos,
          "an error has several lines");
  cancelsafe::PublishCoverage();
  return 0;
}
