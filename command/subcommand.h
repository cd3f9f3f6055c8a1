// The subcommands of the one program `cancelsafe`. Each is a file in the room that owns
// it, which registers itself; help, completion and dispatch read this list, and there is
// no other.
#ifndef CANCELSAFE_COMMAND_SUBCOMMAND_H_
#define CANCELSAFE_COMMAND_SUBCOMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cancelsafe {

// Exit statuses, the same for every subcommand.
inline constexpr int kExitOk = 0;
inline constexpr int kExitViolation = 1;  // or a failed test
inline constexpr int kExitUsage = 2;      // or an unreadable file
inline constexpr int kExitSetup = 3;
inline constexpr int kExitInterrupted = 130;

// Thrown where a subcommand cannot do its work: one sentence, which is printed, and the
// exit status is kExitSetup.
class SetupError : public std::runtime_error {
 public:
  explicit SetupError(const std::string& message) : std::runtime_error(message) {}
};

// Under which heading help lists a subcommand.
enum class SubcommandGroup { kFind, kUnderstand, kMeasure, kWorkOn };

struct Subcommand {
  const char* name;
  SubcommandGroup group;
  const char* purpose;    // one line of `cancelsafe help`
  const char* arguments;  // what follows the flags in its usage line: "FILE..."
  // What --help says beside the flags: paragraphs before and after them.
  const char* about;
  const char* notes;
  // Declares the flags, bound to options that the result owns; the result runs the
  // subcommand and returns the exit status. Wrong values are reported by throwing a
  // UsageError (flags.h), and what cannot be done by a SetupError.
  std::function<int()> (*declare)(CLI::App* app);
};

// Sorted by group, then by name.
const std::vector<Subcommand>& Subcommands();

// A static object of this type registers a subcommand.
class RegisterSubcommand {
 public:
  explicit RegisterSubcommand(const Subcommand& subcommand);
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_SUBCOMMAND_H_
