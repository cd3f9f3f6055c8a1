// The lines of a program's text that say what its memory does: "memory rc11" and
// "stale-choices 12:read:1/2". The same for every kind of program.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_STALE_TEXT_H_
#define CANCELSAFE_FUZZERS_PROGRAM_STALE_TEXT_H_

#include <string>

#include "fuzzers/program/tokens.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

// Takes in what follows the first word of "stale-choices ...". Returns "", or what is wrong.
std::string ReadStaleChoices(const Tokens& tokens, schedule::Schedule* schedule);

// Both lines, each if there is something to say.
void AppendMemory(const schedule::Schedule& schedule, std::string* out);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_STALE_TEXT_H_
