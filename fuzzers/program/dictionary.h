// Dictionaries for fuzz engines that mutate without our mutator: what the two forms
// of a program are made of. Every fuzz target of a family prints them
// (--print-dictionary=NAME).
#ifndef CANCELSAFE_FUZZERS_PROGRAM_DICTIONARY_H_
#define CANCELSAFE_FUZZERS_PROGRAM_DICTIONARY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace cancelsafe {

// "text", and one name for each family, spelt as its fuzz target is.
absl::Span<const char* const> DictionaryNames();

// The dictionary of that name, in the format that libFuzzer and AFL++ read: an
// entry a line, in quotes, with bytes escaped as \xHH. The one named "text" has the
// words of the text form, the others a header and every operation in bytes.
// `name` is one of DictionaryNames().
std::string PrintDictionary(absl::string_view name);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_DICTIONARY_H_
