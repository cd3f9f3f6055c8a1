// cancelsafe tidy: clang-tidy on all sources that the build without sanitizer knows, with a
// memory: a file that passed, and has not changed since, is not checked again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kFileSecondsMax = 600;

class Tidy {
 public:
  Tidy(int files_max, int jobs) : files_max_(files_max), jobs_(jobs) {}

  int Run() {
    memory_ = TreeRoot() + "/build/tidy";
    const absl::Status made = MakeFolder(memory_);
    RequireOk(made);
    const std::vector<std::string> files = Files();
    size_t next = 0, left_out = 0;
    int begun = 0;
    std::vector<Check> running;
    while (next < files.size() || !running.empty()) {
      const bool over = files_max_ > 0 && begun == files_max_;
      if (next < files.size() && (over || running.size() < static_cast<size_t>(jobs_))) {
        const std::string& file = files[next++];
        const std::string mark = absl::StrCat(memory_, "/", Key(file));
        if (fs::exists(mark)) continue;
        if (over) {
          ++left_out;
          continue;
        }
        Start(file, mark, &running);
        ++begun;
        continue;
      }
      Collect(&running);
    }
    if (left_out > 0) {
      printf("%zu files are left for the next time, after %d\n", left_out, begun);
    }
    printf("clang-tidy: %zu files, %d with findings\n", files.size(), failed_);
    return failed_ == 0 ? kExitOk : kExitViolation;
  }

 private:
  struct Check {
    std::string file;
    std::string mark;
    std::unique_ptr<Process> process;
    std::string output;
  };

  void Start(const std::string& file, const std::string& mark, std::vector<Check>* running) {
    absl::StatusOr<std::unique_ptr<Process>> process =
        Process::Start({"clang-tidy-19", "--quiet", "-p", TreeRoot() + "/build/dev", file});
    RequireOk(process);
    running->push_back({file, mark, *std::move(process), ""});
  }

  // Waits for the oldest one.
  void Collect(std::vector<Check>* running) {
    Check check = std::move(running->front());
    running->erase(running->begin());
    const ChildEnd end = WaitFor(check.process.get(), kFileSecondsMax, [&](absl::string_view text) {
      absl::StrAppend(&check.output, text);
    });
    if (end.status.clean()) {
      const absl::Status noted = WriteFileAtomically(check.mark, "");
      RequireOk(noted);
      return;
    }
    ++failed_;
    for (const absl::string_view line : absl::StrSplit(check.output, '\n')) {
      if (absl::StrContains(line, "error:")) printf("%s\n", std::string(line).c_str());
    }
    if (end.timed_out) printf("%s: clang-tidy did not end\n", check.file.c_str());
  }

  // What a pass depends on: the file, all headers and the settings.
  std::string Key(const std::string& file) {
    if (base_ == 0) {
      base_ = HashText64(ReadFile(TreeRoot() + "/.clang-tidy").value_or(""));
      for (const char* room : {"base", "command", "impl", "oracle", "fuzzers", "conformance"}) {
        std::set<std::string> headers;
        std::error_code error;
        for (fs::recursive_directory_iterator at(absl::StrCat(TreeRoot(), "/", room), error), end;
             !error && at != end; at.increment(error)) {
          const std::string path = at->path().string();
          if (absl::EndsWith(path, ".h") || absl::EndsWith(path, ".inc")) headers.insert(path);
        }
        for (const std::string& path : headers) {
          base_ = HashText64(ReadFile(path).value_or(""), base_);
        }
      }
    }
    return absl::StrFormat("%016x", HashText64(ReadFile(file).value_or(""), base_));
  }

  // The files that the build knows, those that differ from the last commit first. The
  // others come in an order that every commit shuffles: where not all are checked, it is not
  // always the same ones that are left out.
  static std::vector<std::string> Files() {
    const std::string path = TreeRoot() + "/build/dev/compile_commands.json";
    const nlohmann::json commands =
        nlohmann::json::parse(ReadFile(path).value_or(""), nullptr, false);
    if (!commands.is_array()) {
      throw SetupError(absl::StrCat("cannot read ", path, "; run cmake --preset dev first"));
    }
    const std::string commit = Git({"rev-parse", "HEAD"}),
                      changed = Git({"diff", "--name-only", "HEAD"});
    std::map<std::pair<bool, uint64_t>, std::string> order;
    for (const auto& command : commands) {
      const std::string file = command["file"];
      if (!absl::EndsWith(file, ".cc") || !absl::StartsWith(file, TreeRoot()) ||
          absl::StartsWith(file, TreeRoot() + "/build/")) {
        continue;
      }
      const std::string name = file.substr(TreeRoot().size() + 1);
      const bool same = !absl::StrContains(absl::StrCat("\n", changed), "\n" + name + "\n");
      order[{same, HashText64(commit + name)}] = file;
    }
    std::vector<std::string> files;
    for (const auto& [key, file] : order) files.push_back(file);
    return files;
  }

  // "" where there is no git, or no repository.
  static std::string Git(const std::vector<std::string>& words) {
    std::vector<std::string> command = {"git", "-C", TreeRoot()};
    command.insert(command.end(), words.begin(), words.end());
    std::string output;
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, kFileSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
    return end.ok() && end->status.clean() ? output : "";
  }

  const int files_max_;
  const int jobs_;
  std::string memory_;
  uint64_t base_ = 0;
  int failed_ = 0;
};

struct Options {
  int files_max = 0;
  int jobs = 1;
};

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  options->jobs = ProcessorCount();
  AddNumber(app, "--files", &options->files_max, 1, 100000,
            "check this many of those that are left (all)");
  AddJobs(app, &options->jobs, "checks at the same time (as many as there are processors)");
  return [options] { return Tidy(options->files_max, options->jobs).Run(); };
}

const RegisterSubcommand registered(
    {"tidy", SubcommandGroup::kWorkOn, "check all sources with clang-tidy", "",
     "Checks the sources that the build without sanitizer knows, those that differ from the last "
     "commit first. What passed and has not changed since is not checked again.",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
