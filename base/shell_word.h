// Words quoted for a shell, for commands that are printed to be copied: the shell passes on
// the same bytes.
#ifndef CANCELSAFE_BASE_SHELL_WORD_H_
#define CANCELSAFE_BASE_SHELL_WORD_H_

#include <string>

#include "absl/strings/string_view.h"

namespace cancelsafe {

// The word itself if no shell changes it; else in quotes, and as $'...' with escapes if it has
// bytes that a terminal does not show as they are (control characters, any beyond ASCII). O(n).
std::string ShellWord(absl::string_view word);

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_SHELL_WORD_H_
