// The words of the text form: of its lines, the arguments and the schedulers, and the help
// that an unknown word gets. Those of operations, settings and families are in the tables
// of oracle/.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_
#define CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fuzzers/program/program.h"

namespace cancelsafe {

// What a line may begin with, and the arguments of each such line. The parser knows
// them by their places.
inline constexpr const char* kDirectiveWords[] = {"target",   "queue",   "driver", "fiber",
                                                  "schedule", "choices", "memory", "stale-choices"};
inline constexpr const char* kScheduleArgumentWords[] = {"seed", "parameter", "schedules"};

// Indexed by the enumerator or number that they name.
inline constexpr const char* kIrqlWords[] = {"passive", "apc", "dispatch"};
// By bit number of OperationFlag.
inline constexpr const char* kFlagWords[] = {"context", "cancelable", "deferred", "non-cancelable",
                                             "other-queue"};

// The index of `word` in `words`, -1 if it is not there.
int FindWord(absl::string_view word, absl::Span<const char* const> words);

// "did you mean 'insert'? " if one of the words is near, else nothing.
std::string DidYouMean(absl::string_view word, absl::Span<const char* const> words);

// A piece of untrusted input as it may appear in a message: escaped, bounded, in
// single quotes.
std::string Quoted(absl::string_view word);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_WORDS_H_
