// The command line of the tools: the flags that all of them share, and how they
// end when something is wrong with it. Exit codes are the same everywhere: 0 fine,
// 1 a violation, 2 wrong usage or an unreadable file, 3 set-up failed.
#ifndef CANCELSAFE_FUZZERS_TOOLS_TOOL_FLAGS_H_
#define CANCELSAFE_FUZZERS_TOOLS_TOOL_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "fuzzers/run/runner.h"
#include "impl/implementation.h"

namespace cancelsafe {

inline constexpr int kExitViolation = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSetup = 3;

// For the help texts of the tools.
inline constexpr char kSharedFlagsHelp[] =
    R"(  --target NAME             for bytes without a program tag: csq, device-queue,
                            start-io or callback-data-queue
  --implementation FILE.so  run against this shared object, or against "canary", the
                            device queue with the bug that the canary target has
  --points all              every load and store is a preemption point
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore RULE             leave out a rule or clause (may be repeated)
)";

class ToolFlags {
 public:
  // `name` goes in front of every error.
  ToolFlags(const char* name, int argc, char** argv) : name_(name), argc_(argc), argv_(argv) {}

  // Takes shared flags and file names until it meets another flag, which it puts
  // into `*flag`; false at the end. Exits with kExitUsage for wrong values.
  bool Next(std::string* flag);
  // The value of the flag that Next returned.
  std::string Value(const std::string& flag);
  // Likewise, as a whole number of at least `least`.
  long Number(const std::string& flag, long least);

  [[noreturn]] void Fail(int code, const std::string& message) const;
  [[noreturn]] void FailUnknown(const std::string& flag) const;

  // The built-in implementation or the one named; exits with kExitSetup if that
  // cannot be loaded.
  Implementation Load() const;
  // Exits with kExitSetup if the runner lacks a routine.
  void CheckProvided(const char* missing) const;

  const std::vector<std::string>& files() const { return files_; }
  std::optional<Family> family() const { return family_; }
  // Complete once Next() has returned false.
  const RunnerOptions& runner() const { return runner_; }
  // The shared flags as given, for a command that repeats the run.
  const std::string& repeat_flags() const { return repeat_flags_; }
  // Likewise --target, which files that say what they are do not need.
  const std::string& target_flag() const { return target_flag_; }
  const std::string& implementation() const { return implementation_; }
  bool strict() const { return strict_; }
  // This program, as it was called.
  const char* program_path() const { return argv_[0]; }

 private:
  const char* name_;
  const int argc_;
  char** const argv_;
  int next_ = 1;
  std::vector<std::string> files_;
  std::optional<Family> family_;
  std::string implementation_;
  RunnerOptions runner_;
  bool strict_ = false;
  std::string repeat_flags_;
  std::string target_flag_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_TOOL_FLAGS_H_
