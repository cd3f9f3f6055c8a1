// How a fuzz target takes its own flags, which begin with two dashes, out of a command line
// whose other flags are the engine's. What the flags mean is the target's business.
#ifndef CANCELSAFE_FUZZERS_TARGETS_FLAG_TABLE_H_
#define CANCELSAFE_FUZZERS_TARGETS_FLAG_TABLE_H_

#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace cancelsafe {

// Exit statuses.
inline constexpr int kTargetUsageError = 2;
inline constexpr int kTargetSetupError = 3;

// Prints what is wrong and ends the process.
[[noreturn]] void FailTarget(int status, const std::string& message);

template <typename Flags>
struct TargetFlag {
  absl::string_view name;
  bool takes_value;
  bool decides_runs;  // what a run does, so that it goes to whatever repeats the run
  void (*read)(absl::string_view value, Flags* flags);
};

// Reads the flags of the table and leaves the others; "--flag VALUE" is "--flag=VALUE". Those
// that decide what a run does are kept in flags->own_flags as they were given. Ends the process
// with kTargetUsageError and the help for one that is not in the table.
template <typename Flags, size_t count>
void TakeFlags(const TargetFlag<Flags> (&table)[count], const char* help, int* argc, char** argv,
               Flags* flags) {
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    // A bare "--" is the engine's too: OSS-Fuzz's scripts put one before its flags.
    if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0') {
      argv[kept++] = argv[i];
      continue;
    }
    std::string argument = argv[i];
    const size_t name_end = argument.find('=');
    const bool joined = name_end != std::string::npos;
    const TargetFlag<Flags>* flag = nullptr;
    for (const TargetFlag<Flags>& known : table) {
      if (known.name == absl::string_view(argument).substr(0, name_end)) flag = &known;
    }
    if (flag == nullptr || (joined && !flag->takes_value)) {
      FailTarget(kTargetUsageError, absl::StrCat("unknown flag '", argument, "'\n", help));
    }
    if (flag->takes_value && !joined) {
      if (i + 1 == *argc) {
        FailTarget(kTargetUsageError, absl::StrCat(flag->name, ": a value is missing\n", help));
      }
      absl::StrAppend(&argument, "=", argv[++i]);
    }
    flag->read(flag->takes_value ? absl::string_view(argument).substr(flag->name.size() + 1) : "",
               flags);
    if (flag->decides_runs) flags->own_flags.push_back(argument);
  }
  *argc = kept;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_FLAG_TABLE_H_
