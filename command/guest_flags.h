// The flags about the implementation that is run, as values: what is run, and how strictly
// it is judged. They are declared in flags.h.
#ifndef CANCELSAFE_COMMAND_GUEST_FLAGS_H_
#define CANCELSAFE_COMMAND_GUEST_FLAGS_H_

#include <string>
#include <vector>

namespace cancelsafe {

struct GuestFlags {
  std::string implementation;  // "" is the built-in one
  std::string points;          // "" for the default
  bool strict = false;
  std::vector<std::string> ignore;
  std::string memory;  // model, "" for the default; the build with the memory engine alone has it

  // Those that the build for a sanitizer takes.
  GuestFlags Under(const std::string& sanitizer) const;
  // The flags that repeat a run, each with a leading space. `implementation` as given.
  std::string AsText() const;
  // Likewise, word by word.
  std::vector<std::string> AsWords() const;
};

// What a wrong --ignore is told.
inline constexpr char kIgnoreAllowed[] =
    "is not the name of a rule, a kind of verdict, a clause id (all three are in the verdict line "
    "of a finding), a function ('Peek', 'peek()'), a line ('csq.cc:120'), or several of these "
    "joined by '+'";

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_GUEST_FLAGS_H_
