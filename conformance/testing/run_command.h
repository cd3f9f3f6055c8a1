// Commands as a user types them, for tests of whole programs.
#ifndef CANCELSAFE_CONFORMANCE_TESTING_RUN_COMMAND_H_
#define CANCELSAFE_CONFORMANCE_TESTING_RUN_COMMAND_H_

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace cancelsafe::conformance {

struct CommandResult {
  int status = -1;     // exit status, or 128 + signal
  std::string output;  // both streams
};

// Runs words[0] with the other words, whatever characters they hold, without input.
inline CommandResult RunCommand(const std::vector<std::string>& words) {
  const std::string line = absl::StrCat(
      absl::StrJoin(words, " ",
                    [](std::string* out, const std::string& word) {
                      absl::StrAppend(out, "'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
                    }),
      " 2>&1 </dev/null");
  CommandResult result;
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.output.append(buffer, size);
  }
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_TESTING_RUN_COMMAND_H_
