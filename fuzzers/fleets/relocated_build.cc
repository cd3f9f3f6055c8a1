// See relocated_build.h.
#include "fuzzers/fleets/relocated_build.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// A guard against what hangs, on a machine however busy: not a bound on speed.
constexpr int kSecondsMax = 600;

constexpr char kMarkOfTargets[] = "LLVMFuzzerTestOneInput";
constexpr fs::perms kExecutable = fs::perms::owner_exec;
constexpr fs::perms kWritable =
    fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;

CommandEnd RunAsIs(const std::vector<std::string>& arguments) {
  CommandEnd end;
  const absl::StatusOr<ChildEnd> child = RunProcess(
      arguments, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&end.output, text); });
  if (!child.ok()) {
    end.how = std::string(child.status().message());
    return end;
  }
  end.clean = child->status.clean() && !child->timed_out;
  end.how = child->timed_out ? absl::StrCat("killed after ", kSecondsMax, " s")
                             : DescribeExit(child->status);
  return end;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RelocatedBuild>> RelocatedBuild::Create(const std::string& folder) {
  std::error_code error;
  std::string root = fs::temp_directory_path(error).string() + "/fuzz_build_check.XXXXXX";
  if (error || mkdtemp(root.data()) == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot make a folder like ", root));
  }
  std::unique_ptr<RelocatedBuild> build(new RelocatedBuild(root));
  fs::permissions(root, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec,
                  error);
  fs::copy(folder, root + "/moved", fs::copy_options::recursive, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  for (const fs::path& path : fs::recursive_directory_iterator(root + "/moved")) {
    fs::permissions(path, kWritable, fs::perm_options::remove, error);
    fs::permissions(path, fs::perms::others_read, fs::perm_options::add, error);
  }
  fs::permissions(root + "/moved", kWritable, fs::perm_options::remove, error);
  fs::permissions(root + "/moved", fs::perms::others_read | fs::perms::others_exec,
                  fs::perm_options::add, error);
  return build;
}

RelocatedBuild::~RelocatedBuild() {
  std::error_code error;
  // What was made read-only must be writable to be removed, unless by root.
  for (fs::recursive_directory_iterator it(root_, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory()) {
      fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, error);
    }
  }
  fs::remove_all(root_, error);
}

std::vector<std::string> RelocatedBuild::Targets() const {
  std::vector<std::string> targets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ + "/moved", error)) {
    if (!entry.is_regular_file() || (entry.status().permissions() & kExecutable) == fs::perms::none)
      continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (absl::StrContains(bytes, kMarkOfTargets)) targets.push_back(entry.path().filename());
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

std::string RelocatedBuild::NewFolder(const std::string& name) const {
  const std::string path = absl::StrCat(root_, "/", name);
  std::error_code error;
  fs::remove_all(path, error);
  fs::create_directories(path, error);
  fs::permissions(path, fs::perms::all, error);
  return path;
}

bool RelocatedBuild::Unpack(const std::string& archive, const std::string& folder) const {
  return RunAsIs({"/usr/bin/unzip", "-q", "-o", "-d", folder, Path(archive)}).clean;
}

CommandEnd RelocatedBuild::Run(const std::vector<std::string>& environment,
                               const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {"/usr/bin/env", "-i", "-C", root_ + "/moved"};
  command.insert(command.end(), environment.begin(), environment.end());
  // Root may write to a read-only folder, the user `nobody` may not.
  if (geteuid() == 0) {
    command.insert(command.end(),
                   {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"});
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunAsIs(command);
}

}  // namespace cancelsafe
