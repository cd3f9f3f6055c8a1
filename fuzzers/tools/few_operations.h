// The few operations of a failing program that its failure takes, by trying all small parts of
// it. For failures that need a stale choice: taking away one operation after another misses what
// few of them do, since each takes away the place where the choice was made.
#ifndef CANCELSAFE_FUZZERS_TOOLS_FEW_OPERATIONS_H_
#define CANCELSAFE_FUZZERS_TOOLS_FEW_OPERATIONS_H_

#include "fuzzers/program/program.h"
#include "fuzzers/tools/judge.h"

namespace cancelsafe {

// Nearly every failure of a queue shows with no more than these.
inline constexpr int kFewOperations = 3;
inline constexpr int kFewFibers = 2;
inline constexpr int kFewPreemptions = 2;

// Makes `*program`, whose schedule has stale choices, a part of it with kFewOperations at most
// that fails like `wanted`, with few preemptions. False, and nothing changed, where none is found
// or the program has too many operations for that. Deterministic; O(operations^3) searches.
bool KeepFewOperations(Judge* judge, const FailureIdentity& wanted, Program* program);

// The same for a failure under another clause, where none has the one of `*wanted`, with the same
// operation if there is one; `*wanted` becomes what is found. The clause is that of the longest
// order that works, and for that alone a program may need operations which its failure does not.
bool ExchangeClause(Judge* judge, FailureIdentity* wanted, Program* program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_FEW_OPERATIONS_H_
