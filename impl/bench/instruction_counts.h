// The instructions that each hot path executes per operation: counted by callgrind, kept
// in a table that is committed, and compared with it.
#ifndef CANCELSAFE_IMPL_BENCH_INSTRUCTION_COUNTS_H_
#define CANCELSAFE_IMPL_BENCH_INSTRUCTION_COUNTS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace cancelsafe {

struct InstructionTable {
  std::string compiler;
  std::map<std::string, double> counts;  // by path, per operation
};

// Runs cancelsafe_instruction_paths under valgrind, once per path.
absl::StatusOr<InstructionTable> CountInstructions(const std::string& program);

// The file of a table, and back.
std::string PrintInstructionTable(const InstructionTable& table);
absl::StatusOr<InstructionTable> ReadInstructionTable(const std::string& path);

struct InstructionComparison {
  bool same = true;  // within the bound
  std::string text;  // one line per path
};
// The small device queues of a table beside the plain list, without the comparison below.
InstructionComparison CompareWithPlainList(const InstructionTable& counted);

// A small device queue may not execute more than the plain list beside it, by more than
// 2 %; that holds for any compiler. Against the table the bound is 2 % too: a repetition differs by
// nothing, so that is room for the linker's choices alone. Where another compiler recorded the
// table it is 15 %.
InstructionComparison CompareInstructions(const InstructionTable& recorded,
                                          const InstructionTable& counted);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_INSTRUCTION_COUNTS_H_
