// Pieces of the source of a generated test.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_TEST_TEXT_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_TEST_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace cancelsafe {

// "not-linearizable CSQ-REM-02" as "NotLinearizableCsqRem02".
std::string CamelCase(absl::string_view text);
// Adds the lines of the text as comments.
void AddComment(absl::string_view text, std::string* out);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_TEST_TEXT_H_
