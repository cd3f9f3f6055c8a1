// The subcommands of the one program `cancelsafe`. Each is a file in the room that owns
// it, which registers itself; help, completion and dispatch read this list, and there is
// no other.
#ifndef CANCELSAFE_COMMAND_SUBCOMMAND_H_
#define CANCELSAFE_COMMAND_SUBCOMMAND_H_

#include <functional>
#include <vector>

#include "command/status.h"

// The header of CLI11 takes two seconds to compile; only flags.cc and command_line.cc need it.
namespace CLI {
class App;
}  // namespace CLI

namespace cancelsafe {

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
  // UsageError, and what cannot be done by a SetupError (status.h).
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
