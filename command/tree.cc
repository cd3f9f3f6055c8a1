// See tree.h.
#include "command/tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/guest_build.h"
#include "command/require_ok.h"
#include "command/status.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr size_t kLogLines = 40;     // of a failed build that are shown
constexpr size_t kTargetsNamed = 8;  // more than these are a number

std::vector<std::string> command_words;
bool from_front_door = false;

// The nearest folder above build/<preset>/cancelsafe that is a checkout; "" if none is. An
// installed program belongs to none, even if its prefix lies within one.
std::string FindRoot() {
  std::error_code error;
  const fs::path own = fs::path(OwnPath()).parent_path();
  if (fs::exists(own.parent_path() / "libexec" / "cancelsafe", error)) return "";
  for (fs::path folder = own; folder.has_relative_path(); folder = folder.parent_path()) {
    if (fs::exists(folder / "CMakePresets.json", error)) return folder.string();
  }
  return "";
}

// Held while a build of a preset runs: ninja must not run twice in one folder.
class BuildLock {
 public:
  explicit BuildLock(const std::string& folder)
      : file_(open((folder + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  ~BuildLock() {
    if (file_ >= 0) close(file_);
  }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;

 private:
  const int file_;
};

// How far a build is, from the "[12/214]" at the start of ninja's lines: files built, of
// how many, and about how long the rest takes, if it goes on as it went. On a terminal one
// line that changes; elsewhere a line now and then.
class BuildProgress {
 public:
  void Add(absl::string_view text) {
    for (const char c : text) {
      if (c != '\n') {
        line_ += c;
        continue;
      }
      ReadLine();
      line_.clear();
    }
  }
  ~BuildProgress() {
    if (terminal_ && shown_ != 0) fprintf(stderr, "\n");
  }

 private:
  static constexpr double kSecondsBetween = 15;  // where lines stay

  void ReadLine() {
    int done = 0;
    int all = 0;
    if (sscanf(line_.c_str(), "[%d/%d]", &done, &all) != 2 || done <= 0 || all < done) return;
    const double now = SecondsNow();
    if (!terminal_ && now - last_ < kSecondsBetween) return;
    last_ = now;
    shown_ = done;
    const double left = (now - started_) / done * (all - done);
    fprintf(stderr, "%s%d of %d files built, about %d:%02d left%s", terminal_ ? "\r" : "", done,
            all, static_cast<int>(left) / 60, static_cast<int>(left) % 60,
            terminal_ ? "   " : "\n");
    fflush(stderr);
  }

  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const double started_ = SecondsNow();
  double last_ = started_;
  int shown_ = 0;
  std::string line_;
};

// Runs a command in the root; what it prints goes into `*output`, and to `progress` if
// that is not null. False if it fails.
bool RunInRoot(std::vector<std::string> words, std::string* output,
               BuildProgress* progress = nullptr) {
  words.insert(words.begin(), {"env", "-C", TreeRoot()});
  const absl::StatusOr<ChildEnd> end =
      RunProcess(words, kNoLimit, [output, progress](absl::string_view text) {
        absl::StrAppend(output, text);
        if (progress != nullptr) progress->Add(text);
      });
  if (!end.ok()) absl::StrAppend(output, end.status().message(), "\n");
  return end.ok() && end->status.clean();
}

std::string LastLines(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const size_t skipped = lines.size() > kLogLines ? lines.size() - kLogLines : 0;
  return absl::StrJoin(lines.begin() + static_cast<long>(skipped), lines.end(), "\n");
}

// Fills `*log`; false if the build fails.
bool Build(const std::string& preset, const std::vector<std::string>& targets, std::string* log) {
  const std::string folder = absl::StrCat(TreeRoot(), "/build/", preset);
  const absl::Status made = MakeFolder(folder);
  RequireOk(made);
  const BuildLock lock(folder);
  const std::string log_path = folder + "/build.log";
  bool built = true;
  if (access((folder + "/build.ninja").c_str(), F_OK) != 0) {
    fprintf(stderr, "Configuring %s\n", BuildFolder(preset).c_str());
    built = RunInRoot({"cmake", "--preset", preset}, log);
  }
  if (built) {
    std::vector<std::string> ninja = {"ninja", "-C", folder, "-n"};
    ninja.insert(ninja.end(), targets.begin(), targets.end());
    std::string plan;
    if (RunInRoot(ninja, &plan) && absl::StrContains(plan, "no work to do")) return true;
    fprintf(stderr, "Building %s in %s (log: %s/build.log)\n",
            targets.empty()                  ? "everything"
            : targets.size() > kTargetsNamed ? absl::StrCat(targets.size(), " targets").c_str()
                                             : absl::StrJoin(targets, " ").c_str(),
            BuildFolder(preset).c_str(), BuildFolder(preset).c_str());
    std::vector<std::string> cmake = {"cmake", "--build", folder};
    for (const std::string& target : targets) cmake.insert(cmake.end(), {"--target", target});
    cmake.insert(cmake.end(), {"--", "-k", "0"});
    BuildProgress progress;
    built = RunInRoot(cmake, log, &progress);
  }
  const absl::Status written = WriteFileAtomically(log_path, *log);
  RequireOk(written);
  return built;
}

}  // namespace

std::string OwnPath() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

bool InTree() { return !FindRoot().empty(); }

std::string FrontDoor() {
  if (!InTree()) return "cancelsafe";
  const std::string path = TreePath("cancelsafe");
  return path == "cancelsafe" ? "./cancelsafe" : path;
}

std::string TreeRoot() {
  static const std::string root = FindRoot();
  if (root.empty()) {
    throw SetupError(absl::StrCat("this needs a checkout of Cancelsafe, and ", OwnPath(),
                                  " is an installed program; run ./cancelsafe in a checkout"));
  }
  return root;
}

std::string TreePath(const std::string& path) {
  std::error_code error;
  const bool here = fs::equivalent(fs::current_path(error), TreeRoot(), error);
  return here ? path : absl::StrCat(TreeRoot(), "/", path);
}

std::string BuildFolder(const std::string& preset) { return TreePath("build/" + preset); }

std::string PresetForTools(const std::string& sanitizer) {
  return sanitizer == "thread"    ? "tsan"
         : sanitizer == "address" ? "asan"
         : sanitizer == "none"    ? "dev"
                                  : sanitizer;
}

std::string PresetForTargets(const std::string& sanitizer) {
  return sanitizer == "none" ? "fuzz" : PresetForTools(sanitizer);
}

const char* OwnSanitizer() {
#if defined(CANCELSAFE_SANITIZER_THREAD)
  return "thread";
#elif defined(CANCELSAFE_SANITIZER_ADDRESS)
  return "address";
#elif defined(CANCELSAFE_SANITIZER_COVERAGE)
  return "coverage";
#elif defined(CANCELSAFE_SANITIZER_MODEL)
  return "model";
#else
  return "none";
#endif
}

bool TryBuildTargets(const std::string& preset, const std::vector<std::string>& targets) {
  std::string log;
  return Build(preset, targets, &log);
}

void BuildTargets(const std::string& preset, const std::vector<std::string>& targets) {
  std::string log;
  if (Build(preset, targets, &log)) return;
  fprintf(stderr, "%s\n", LastLines(log).c_str());
  throw SetupError(absl::StrCat("the build failed; all of its output is in ", BuildFolder(preset),
                                "/build.log"));
}

bool HasTarget(const std::string& preset, const std::string& target) {
  const std::string folder = absl::StrCat(TreeRoot(), "/build/", preset);
  std::string output;
  return access((folder + "/build.ninja").c_str(), F_OK) != 0 ||
         RunInRoot({"ninja", "-C", folder, "-t", "query", target}, &output);
}

void Reconfigure(const std::string& preset) {
  std::string output;
  if (RunInRoot({"cmake", absl::StrCat("build/", preset)}, &output)) return;
  fprintf(stderr, "%s\n", LastLines(output).c_str());
  throw SetupError(absl::StrCat("cmake ", BuildFolder(preset), " failed"));
}

const std::vector<std::string>& CommandWords() { return command_words; }

void NoteCommandWords(const std::vector<std::string>& words) {
  command_words = words;
  from_front_door = getenv("CANCELSAFE_FRONT_DOOR") != nullptr;
  // What this program starts is not started by the front door.
  unsetenv("CANCELSAFE_FRONT_DOOR");
}

void ContinueUnder(const std::string& asked, const std::string& preferred,
                   const std::string& implementation) {
  const std::string wanted =
      BuildForGuest(implementation, asked, from_front_door ? preferred : OwnSanitizer());
  if (wanted == OwnSanitizer()) return;
  if (!InTree() && asked.empty()) {
    throw SetupError(absl::StrCat(implementation, " was compiled with -fsanitize=", wanted,
                                  ", which this installed program cannot load: compile it without "
                                  "that flag, or run ./cancelsafe in a checkout"));
  }
  constexpr char kContinued[] = "CANCELSAFE_CONTINUED";
  if (getenv(kContinued) != nullptr) {
    throw SetupError(absl::StrCat(OwnPath(), " was built with sanitizer ", OwnSanitizer(),
                                  " and not with ", wanted, "; remove its build folder"));
  }
  setenv(kContinued, "1", 1);
  BuildTargets(PresetForTools(wanted), {"cancelsafe"});
  std::vector<std::string> words = {
      absl::StrCat(BuildFolder(PresetForTools(wanted)), "/cancelsafe")};
  words.insert(words.end(), command_words.begin(), command_words.end());
  throw SetupError(std::string(BecomeProgram(words).message()));
}

}  // namespace cancelsafe
