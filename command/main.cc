// The program `cancelsafe`: reads the command line, runs one subcommand, and makes sure
// that what was printed has arrived. What a subcommand does is in its own file.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/files.h"
#include "command/command_line.h"
#include "command/tree.h"

namespace cancelsafe {
namespace {

int Complain(const std::string& subcommand, int code, const std::string& message) {
  fflush(stdout);
  fprintf(stderr, "cancelsafe%s: %s\n", subcommand.c_str(), message.c_str());
  return code;
}

// A file that is opened later must not become a standard stream.
bool StandardStreamsAreOpen() {
  const bool output = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file) {
    while (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) {
    }
  }
  return output;
}

int Run(const std::vector<std::string>& words) {
  NoteCommandWords(words);
  ParsedCommand command = ParseCommandLine(words);
  const std::string name = words.empty() || words[0][0] == '-' || command.run == nullptr
                               ? std::string()
                               : " " + words[0];
  if (!command.error.empty()) return Complain(name, kExitUsage, command.error);
  if (!command.text.empty()) {
    fputs(command.text.c_str(), stdout);
    return kExitOk;
  }
  try {
    return command.run();
  } catch (const SetupError& error) {
    return Complain(name, kExitSetup, error.what());
  } catch (const UsageError& error) {
    return Complain(name, kExitUsage, error.what());
  }
}

int Main(int argc, char** argv) {
  if (!StandardStreamsAreOpen()) return Complain("", kExitSetup, "standard output is closed");
  const int status = Run({argv + 1, argv + argc});
  const absl::Status flushed = FlushStandardOutput();
  if (!flushed.ok()) return Complain("", kExitSetup, std::string(flushed.message()));
  return status;
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
