// Fuzzes the text form of programs: whatever is accepted prints to a text that means
// the same and prints to itself; whatever is refused is refused in one line.
#include <cstdio>
#include <cstdlib>

#include "fuzzers/program/program_file.h"
#include "fuzzers/targets/coverage_map.h"

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "program_text_fuzzer: %s\n", what);
  abort();
}

void ReadAndPrint(absl::string_view text) {
  const absl::StatusOr<cancelsafe::ProgramFile> file = cancelsafe::ParseProgramFile(text);
  if (!file.ok()) {
    const absl::string_view message = file.status().message();
    Require(message.substr(0, 5) == "line ", "an error does not name its line");
    Require(message.find('\n') == absl::string_view::npos, "an error has several lines");
    return;
  }
  const std::string printed = cancelsafe::PrintProgramFile(*file);
  const absl::StatusOr<cancelsafe::ProgramFile> again = cancelsafe::ParseProgramFile(printed);
  Require(again.ok(), "what was printed is refused");
  Require(again->program == file->program, "what was printed means something else");
  Require(cancelsafe::PrintProgramFile(*again) == printed, "the printed text is not canonical");
}

}  // namespace

// What is set up when it is used first does not count as coverage of an input.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  ReadAndPrint("target csq\nfiber 0\n  insert 1\n");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cancelsafe::ClearCoverage();
  ReadAndPrint(absl::string_view(reinterpret_cast<const char*>(data), size));
  cancelsafe::PublishCoverage();
  return 0;
}
