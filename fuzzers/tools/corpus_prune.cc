// See corpus_prune.h.
#include "fuzzers/tools/corpus_prune.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/targets/target_names.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr char kPreset[] = "asan";  // whichever engine grew the corpus
constexpr double kMergeSecondsMax = 3600;
constexpr size_t kInputBytesMax = 4096;

void Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw SetupError(absl::StrCat("cannot rename ", from, ": ", error.message()));
}

bool PruneOne(const std::string& work, const std::string& target) {
  const std::string folder = absl::StrCat(work, "/corpus/", target);
  const std::string merged = folder + ".merging", old = folder + ".old";
  // What an interruption between the two renames below left.
  if (!fs::exists(folder) && fs::exists(old)) Rename(old, folder);
  if (!fs::exists(folder)) return true;
  BuildTargets(kPreset, {target + "_fuzzer"});
  fs::remove_all(merged);
  const absl::Status made = MakeFolder(merged);
  RequireOk(made);
  std::string output;
  const absl::StatusOr<ChildEnd> end =
      RunProcess({absl::StrCat(BuildFolder(kPreset), "/fuzzers/targets/", target, "_fuzzer"),
                  "-merge=1", absl::StrCat("-max_len=", kInputBytesMax), "-timeout=10",
                  absl::StrCat("-artifact_prefix=", merged, "/"),
                  absl::StrCat("--artifacts=", work), merged, folder},
                 kMergeSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  RequireOk(end);
  const size_t before = FilesIn(folder).size(), after = FilesIn(merged).size();
  const bool whole = IsWholeMerge(merged, folder);
  if (!end->status.clean() || !whole || (before > 0 && after == 0)) {
    const std::string log = absl::StrCat(work, "/prune-", target, ".log");
    const absl::Status logged = WriteFileAtomically(log, output);
    printf("%s: the merge %s; the corpus stays as it was (log: %s)\n", target.c_str(),
           !end->status.clean() ? "failed"
           : whole              ? "left nothing"
                                : "left files that are not those of before: is the disk full?",
           logged.ok() ? log.c_str() : std::string(logged.message()).c_str());
    return false;
  }
  fs::remove_all(old);
  Rename(folder, old);
  Rename(merged, folder);
  fs::remove_all(old);
  printf("%s: %zu files, %zu kept\n", target.c_str(), before, after);
  return true;
}

}  // namespace

bool IsWholeMerge(const std::string& merged, const std::string& folder) {
  std::set<std::string> before;
  for (const std::string& path : FilesIn(folder)) {
    const absl::StatusOr<std::string> bytes = ReadFile(path);
    if (bytes.ok()) before.insert(bytes->substr(0, kInputBytesMax));
  }
  for (const std::string& path : FilesIn(merged)) {
    const std::string name = fs::path(path).filename();
    if (absl::StartsWith(name, "crash-") || absl::StartsWith(name, "timeout-") ||
        absl::StartsWith(name, "oom-")) {
      continue;
    }
    const absl::StatusOr<std::string> bytes = ReadFile(path);
    if (!bytes.ok() || before.count(*bytes) == 0) return false;
  }
  return true;
}

int PruneCorpus(const std::string& work, std::vector<std::string> targets) {
  if (!fs::is_directory(work + "/corpus")) {
    throw SetupError(absl::StrCat(work,
                                  "/corpus is not a folder; --work names the work folder of "
                                  "a campaign"));
  }
  const int lock = open((work + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (lock >= 0) close(lock);
    throw SetupError(absl::StrCat("a campaign is running in ", work, "; wait for its end"));
  }
  if (targets.empty()) targets = FuzzTargetNames(true);
  bool well = true;
  for (const std::string& target : targets) well = PruneOne(work, target) && well;
  close(lock);
  return well ? kExitOk : kExitViolation;
}

}  // namespace cancelsafe
