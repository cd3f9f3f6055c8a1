// See wine_host.h. The work is done by run_wine.sh, beside the driver's sources.
#include "conformance/hosts/user/wine_host.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace cancelsafe::conformance {

namespace {

namespace fs = std::filesystem;

// The installed place first, then the source tree this program was built from.
std::string DriverDirectory() {
  std::error_code code;
  const fs::path self = fs::read_symlink("/proc/self/exe", code);
  const fs::path installed =
      self.parent_path().parent_path() / "share/cancelsafe/conformance/hosts/driver";
  if (fs::exists(installed / "run_wine.sh", code)) return installed.string();
  return CANCELSAFE_DRIVER_DIR;
}

std::string WorkDirectory() {
  if (const char* chosen = getenv("CANCELSAFE_WINE_DIR")) return chosen;
  const char* temporary = getenv("TMPDIR");
  return absl::StrCat(temporary != nullptr ? temporary : "/tmp", "/cancelsafe-wine-", getuid());
}

std::string Output(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  char bytes[256];
  while (fgets(bytes, sizeof(bytes), pipe) != nullptr) text += bytes;
  pclose(pipe);
  absl::StripAsciiWhitespace(&text);
  return text;
}

std::string Quoted(const std::string& text) { return absl::StrCat("'", text, "'"); }

}  // namespace

bool RunUnderWine(std::string* tap, std::string* name, std::string* error) {
  const std::string work = WorkDirectory();
  const std::string script = DriverDirectory() + "/run_wine.sh";
  if ((work + script).find('\'') != std::string::npos) {
    *error = "a directory name has a quote in it";
    return false;
  }
  *tap = work + "/wine.tap";
  const int status =
      system(absl::StrCat("sh ", Quoted(script), " ", Quoted(work), " ", Quoted(*tap)).c_str());
  if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    *error = WIFEXITED(status) && WEXITSTATUS(status) == 77
                 ? "Wine or mingw-w64 is not installed"
                 : "the driver could not be built, or loaded under Wine";
    return false;
  }
  *name = Output("wine --version 2>/dev/null");
  return true;
}

}  // namespace cancelsafe::conformance
