// The readable form of a program: what seeds and regressions are kept in and
// what people edit.
//
//   # Why this file exists; a comment goes to the end of its line.
//   target csq
//   queue ex insert=sorted peek=by-key lock=mutex status=pending
//   driver failing-insert=2 cancelling-insert=1 reentry=insert reentry-item=3
//   fiber 0
//     insert-ex 2 context key=7 irql=dispatch selector=1
//     remove-next key=0x80000000
//   fiber 1
//     cancel 2
//   schedule pct seed=17 parameter=1 schedules=8
//   choices 3:1 9:0
//   memory rc11
//   stale-choices 12:read:1/2
//
// `target` comes first; every other line may be left out and then means the
// plain settings of the family, one fiber without operations, and no choices. The
// settings of the `queue` and `driver` lines are the rows of oracle/setup_table.cc, the
// operations those of oracle/operations.def. An argument that means nothing on this
// queue (a key where nothing is sorted) is accepted and dropped. A schedule stands for
// as many schedules as it says, its own and those of the next seeds; without a number,
// for UsualSchedules() of them (schedules.h). A choice is step:fiber. `memory` names the
// model of memory, sc, tso or rc11, and `stale-choices` what that model left open and was
// not done as sequential consistency would: number:kind:index/alternatives, where the
// alternatives may be left out (schedule.h). Only the build with the memory engine has
// models.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_TEXT_H_
#define CANCELSAFE_FUZZERS_PROGRAM_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/program/program.h"

namespace cancelsafe {

// Room for the longest list of choices, with a header.
inline constexpr size_t kMaxTextBytes = 256 * 1024;
// Comments above the program take at most this much, so that what was read can be
// printed and read again.
inline constexpr size_t kMaxHeaderBytes = 32 * 1024;

// The comments above the first line of a program, without "# ", and the program.
struct ProgramFile {
  std::vector<std::string> header_comments;
  Program program;
};

// For untrusted input: any bytes give a normalized program or an
// InvalidArgumentError of one line that begins with "line N: " and says what was
// wrong and what is allowed. Comments below the header are not kept.
absl::StatusOr<ProgramFile> ParseProgramFile(absl::string_view text);
absl::StatusOr<Program> ParseProgram(absl::string_view text);

// The canonical text of the normalized program: parsing it gives that program,
// and printing that gives this text.
std::string PrintProgram(const Program& program);
std::string PrintProgramFile(const ProgramFile& file);
// One operation as its line in the text, without indentation: "cancel 2".
std::string PrintOperation(const Setup& setup, const Operation& operation);

// True if these bytes look like text (right or wrong), false for the byte form
// and for anything that no editor would show. Looks no further than the first
// byte that is not text.
bool IsProgramText(absl::string_view bytes);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_TEXT_H_
