// How a subcommand ends: the exit statuses, the same for all of them, and what to throw
// where it cannot go on. Knows no command line library, so that every room may use it.
#ifndef CANCELSAFE_COMMAND_STATUS_H_
#define CANCELSAFE_COMMAND_STATUS_H_

#include <stdexcept>
#include <string>

namespace cancelsafe {

inline constexpr int kExitOk = 0;
inline constexpr int kExitViolation = 1;  // or a failed test
inline constexpr int kExitUsage = 2;      // or an unreadable file
inline constexpr int kExitSetup = 3;
inline constexpr int kExitInterrupted = 130;

// The command line makes no sense, or names a file that cannot be read: one sentence
// without its end, which is printed, and the exit status is kExitUsage.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message) : std::runtime_error(message) {}
};

// Likewise where the work cannot be done, and kExitSetup.
class SetupError : public std::runtime_error {
 public:
  explicit SetupError(const std::string& message) : std::runtime_error(message) {}
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_STATUS_H_
