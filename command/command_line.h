// From words to a subcommand that is ready to run: parsing, help texts, and the wording of
// what is wrong with a command line. Runs nothing.
#ifndef CANCELSAFE_COMMAND_COMMAND_LINE_H_
#define CANCELSAFE_COMMAND_COMMAND_LINE_H_

#include <functional>
#include <string>
#include <vector>

#include "command/subcommand.h"

namespace cancelsafe {

// The texts of `cancelsafe help`, of `cancelsafe --version` and of a subcommand's --help.
std::string OverviewText();
std::string VersionText();
std::string HelpText(const Subcommand& subcommand);

// What came of a command line.
struct ParsedCommand {
  std::string error;  // "" or one sentence: what is wrong, what is allowed, what to do
  std::string text;   // to print instead of running: help, version
  std::function<int()> run;
};

// `words` without the program's name.
ParsedCommand ParseCommandLine(const std::vector<std::string>& words);

// A program with a single command of its own, for workers that a subcommand starts.
// Errors and --help end the process. `declare` is that of a Subcommand.
int RunSingleCommand(const Subcommand& subcommand, int argc, char** argv);

// One flag for completion: its names ("--seconds"), and the words that its value may be,
// none if any will do.
struct FlagWords {
  std::string name;
  bool takes_value = false;
  std::vector<std::string> values;
};
std::vector<FlagWords> FlagsOf(const Subcommand& subcommand);
// The words that a positional argument may be, none if it is a file.
std::vector<std::string> PositionalWords(const Subcommand& subcommand);

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_COMMAND_LINE_H_
