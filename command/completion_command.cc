// cancelsafe completion: what a shell needs to complete command lines, made from the same
// tables as the help texts.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "command/command_line.h"
#include "command/flags.h"
#include "command/suggest.h"

namespace cancelsafe {
namespace {

std::vector<std::string> FlagNamesOf(const Subcommand& subcommand) {
  std::vector<std::string> names;
  for (const FlagWords& flag : FlagsOf(subcommand)) names.push_back(flag.name);
  return names;
}

// One case per subcommand: the values of the flag before the word, the flags, the words
// of the arguments, and otherwise file names.
std::string BashScript() {
  std::vector<std::string> names = {"help"};
  for (const Subcommand& subcommand : Subcommands()) names.push_back(subcommand.name);
  std::string script = absl::StrCat(
      R"(_cancelsafe() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  if [[ $word == = ]]; then word=; fi
  if [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == help ]]; then
    COMPREPLY=($(compgen -W ")",
      absl::StrJoin(names, " "), R"( --help --version" -- "$word"))
    return
  fi
  case ${COMP_WORDS[1]}:$before in
)");
  for (const Subcommand& subcommand : Subcommands()) {
    for (const FlagWords& flag : FlagsOf(subcommand)) {
      if (!flag.takes_value) continue;
      absl::StrAppend(&script, "    ", subcommand.name, ":", flag.name, ") words='",
                      absl::StrJoin(flag.values, " "), "' before=value ;;\n");
    }
  }
  absl::StrAppend(&script, R"(  esac
  if [[ $before != value ]]; then
    case ${COMP_WORDS[1]} in
)");
  for (const Subcommand& subcommand : Subcommands()) {
    absl::StrAppend(&script, "      ", subcommand.name, ") words='",
                    absl::StrJoin(FlagNamesOf(subcommand), " "), " ",
                    absl::StrJoin(PositionalWords(subcommand), " "), "' ;;\n");
  }
  absl::StrAppend(&script, R"(    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ ${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _cancelsafe cancelsafe ./cancelsafe
)");
  return script;
}

class Completion {
 public:
  explicit Completion(CLI::App* app) { AddArguments(app, "SHELL", &shells_, {"bash", "zsh"}); }

  int Run() const {
    if (shells_.size() != 1) throw UsageError("name one shell: bash or zsh");
    CheckWord("shell", shells_[0], {"bash", "zsh"});
    // zsh runs bash's completions by itself when told so.
    if (shells_[0] == "zsh") fputs("autoload -U +X bashcompinit && bashcompinit\n", stdout);
    fputs(BashScript().c_str(), stdout);
    return kExitOk;
  }

 private:
  std::vector<std::string> shells_;
};

std::function<int()> Declare(CLI::App* app) {
  const auto completion = std::make_shared<Completion>(app);
  return [completion] { return completion->Run(); };
}

const RegisterSubcommand registered({"completion", SubcommandGroup::kWorkOn,
                                     "print completion for a shell", "bash|zsh",
                                     "Prints a script by which bash or zsh completes subcommands, "
                                     "flags, their values and target names. For bash:\n"
                                     "  source <(cancelsafe completion bash)",
                                     "", &Declare});

}  // namespace
}  // namespace cancelsafe
