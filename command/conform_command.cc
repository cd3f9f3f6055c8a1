// cancelsafe conform: hands over to the program that runs the conformance suite, with all
// flags. It stands beside this program where that is installed, and is built in a checkout.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/process.h"
#include "command/subcommand.h"
#include "command/tree.h"

namespace cancelsafe {
namespace {

int Run() {
  std::string program = OwnPath().substr(0, OwnPath().rfind('/')) + "/cancelsafe-conform";
  if (InTree()) {
    BuildTargets("dev", {"cancelsafe-conform"});
    program = BuildFolder("dev") + "/conformance/cancelsafe-conform";
  }
  std::vector<std::string> words = {program};
  words.insert(words.end(), CommandWords().begin() + 1, CommandWords().end());
  throw SetupError(std::string(BecomeProgram(words).message()));
}

std::function<int()> Declare(CLI::App* app) {
  app->set_help_flag();
  app->prefix_command();
  return [] { return Run(); };
}

const RegisterSubcommand registered(
    {"conform", SubcommandGroup::kFind, "check an implementation against the documented clauses",
     "", "Runs the conformance suite; 'cancelsafe conform --help' lists its flags.", "", &Declare});

}  // namespace
}  // namespace cancelsafe
