// The words of the text form: of its lines, for the values of the setup, the arguments and the
// schedulers, and the help that an unknown word gets. Operation and family names
// are in oracle/operations.h.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_
#define CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fuzzers/program/program.h"

namespace cancelsafe {

// What a line may begin with, and the arguments of each such line. The parser knows
// them by their places.
inline constexpr const char* kDirectiveWords[] = {"target", "queue",    "driver",
                                                  "fiber",  "schedule", "choices"};
inline constexpr const char* kQueueArgumentWords[] = {"insert", "peek",    "lock",
                                                      "status", "classic", "ex"};
inline constexpr const char* kCallbackArgumentWords[] = {"failing-insert", "cancelling-insert",
                                                         "reentry", "reentry-item"};
inline constexpr const char* kStartIoArgumentWords[] = {"start-io", "start-by-key"};
inline constexpr const char* kScheduleArgumentWords[] = {"seed", "parameter"};

// Indexed by the enumerator or number that they name.
inline constexpr const char* kQueueKindWords[] = {"classic", "ex"};
inline constexpr const char* kInsertPolicyWords[] = {"tail", "head", "sorted"};
inline constexpr const char* kPeekPolicyWords[] = {"any", "by-file", "by-key"};
inline constexpr const char* kLockKindWords[] = {"spin", "mutex"};
inline constexpr const char* kInsertStatusWords[] = {"success", "pending"};
inline constexpr const char* kReentryWords[] = {"none", "remove-next", "insert", "cancel"};
inline constexpr const char* kStartIoStyleWords[] = {"pend", "finish-inside", "finish-odd"};
inline constexpr const char* kIrqlWords[] = {"passive", "apc", "dispatch"};
// By bit number of OperationFlag.
inline constexpr const char* kFlagWords[] = {"context", "cancelable", "deferred", "non-cancelable"};

// The index of `word` in `words`, -1 if it is not there.
int FindWord(absl::string_view word, absl::Span<const char* const> words);

// "did you mean 'insert'? " if one of the words is near, else nothing.
std::string DidYouMean(absl::string_view word, absl::Span<const char* const> words);

// A piece of untrusted input as it may appear in a message: escaped, bounded, in
// single quotes.
std::string Quoted(absl::string_view word);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_
