// See tool_flags.h.
#include "fuzzers/tools/tool_flags.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/tools/program_input.h"

namespace cancelsafe {

void ToolFlags::Fail(int code, const std::string& message) const {
  fprintf(stderr, "%s: %s\n", name_, message.c_str());
  exit(code);
}

void ToolFlags::FailUnknown(const std::string& flag) const {
  Fail(kExitUsage, absl::StrCat("unknown flag ", flag, "; see --help"));
}

std::string ToolFlags::Value(const std::string& flag) {
  if (next_ == argc_) Fail(kExitUsage, absl::StrCat(flag, " needs a value; see --help"));
  return argv_[next_++];
}

long ToolFlags::Number(const std::string& flag, long least) {
  const std::string value = Value(flag);
  long number = 0;
  if (!absl::SimpleAtoi(value, &number) || number < least) {
    Fail(kExitUsage, absl::StrCat(flag, ": '", value, "' is no whole number of at least ", least));
  }
  return number;
}

bool ToolFlags::Next(std::string* flag) {
  while (next_ < argc_) {
    *flag = argv_[next_++];
    if (flag->rfind("--", 0) != 0) {
      files_.push_back(*flag);
    } else if (*flag == "--target") {
      const std::string value = Value(*flag);
      family_ = FamilyOfTarget(value);
      if (!family_) {
        Fail(kExitUsage, absl::StrCat("unknown target '", value, "'; known: ", TargetNames()));
      }
      target_flag_ = absl::StrCat(" --target ", value);
    } else if (*flag == "--implementation") {
      implementation_ = Value(*flag);
      absl::StrAppend(&repeat_flags_, " --implementation ", implementation_);
    } else if (*flag == "--points") {
      const std::string value = Value(*flag);
      if (value != "all" && value != "locks") {
        Fail(kExitUsage, absl::StrCat("--points: '", value, "' is neither all nor locks"));
      }
      runner_.access_points = value == "all";
      absl::StrAppend(&repeat_flags_, " --points ", value);
    } else if (*flag == "--strict") {
      strict_ = true;
      absl::StrAppend(&repeat_flags_, " --strict");
    } else if (*flag == "--ignore") {
      const std::string value = Value(*flag);
      if (!runner_.ignore.Add(value)) {
        Fail(kExitUsage, absl::StrCat("--ignore: '", value, "' is no rule and no clause id"));
      }
      absl::StrAppend(&repeat_flags_, " --ignore ", value);
    } else {
      return true;
    }
  }
  runner_.reading = ReadingFor(implementation_, strict_);
  return false;
}

Implementation ToolFlags::Load() const {
  if (implementation_ == kCanaryName) return CanaryImplementation();
  Implementation implementation = BuiltInImplementation();
  std::string error;
  if (!implementation_.empty() && !LoadImplementation(implementation_, &implementation, &error)) {
    Fail(kExitSetup, error);
  }
  if (implementation_.empty() && runner_.access_points &&
      !LoadBuiltInWithAccessPoints(&implementation, &error)) {
    Fail(kExitSetup, error);
  }
  return implementation;
}

void ToolFlags::CheckProvided(const char* missing) const {
  if (missing == nullptr) return;
  Fail(kExitSetup,
       absl::StrCat("the implementation does not provide ", missing, ", which this program needs"));
}

}  // namespace cancelsafe
