// See profile_file.h.
#include "fuzzers/drivers/run/profile_file.h"

#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/files.h"

namespace cancelsafe::drivers {

absl::StatusOr<DriverProfile> ReadDriverProfile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxProfileBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<DriverProfile> profile = ParseDriverProfile(*text);
  if (!profile.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", profile.status().message()));
  }
  profile->path = path;
  return profile;
}

std::string ProfileBeside(const std::string& driver) {
  const std::string path = absl::StrCat(absl::StripSuffix(driver, ".sys"), ".profile");
  return access(path.c_str(), F_OK) == 0 ? path : "";
}

}  // namespace cancelsafe::drivers
