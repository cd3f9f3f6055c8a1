// cancelsafe coverage: what the corpus alone covers of the implementation and of the
// harness, and which situations it reaches.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "fuzzers/targets/target_names.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr char kPreset[] = "coverage";
// At least this much of the implementation, in percent, is run by the corpus.
constexpr double kLinesMin = 95, kBranchesMin = 90;
constexpr char kLlvm[] = "/usr/lib/llvm-19/bin/";
constexpr char kReasons[] = "impl/uncovered.txt";

struct Room {
  const char* name;
  std::vector<const char*> folders;
};
// The first one is the implementation, which has a floor.
const std::vector<Room>& Rooms() {
  static const std::vector<Room> rooms = {
      {"implementation", {"impl"}},
      {"machine room", {"impl/kernel"}},
      {"oracle", {"oracle"}},
      {"harness", {"fuzzers/program", "fuzzers/schedule", "fuzzers/run"}}};
  return rooms;
}

// Tests do not belong to a room; nor do the guards that only wrong drivers and wrong queues
// set off, the checker of invariants, and what loads implementations in a child process.
bool IsMeasured(const std::string& path) {
  if (!absl::EndsWith(path, ".cc") && !absl::EndsWith(path, ".h")) return false;
  for (const char* part :
       {"_test.cc", "_test_util.h", "_testing.h", "_benchmark.cc", "/history_builder.",
        "impl/implementation", "impl/device_queue_check.", "impl/guest_", "impl/image_format.",
        "impl/process_state.", "impl/missing_symbols."}) {
    if (absl::StrContains(path, part)) return false;
  }
  return true;
}

std::string OutputOf(const std::vector<std::string>& command,
                     const std::vector<std::string>& environment = {}) {
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kNoLimit, [&](absl::string_view text) { absl::StrAppend(&output, text); },
      environment);
  RequireOk(end);
  if (!end->status.clean()) {
    throw SetupError(
        absl::StrCat(command[0], " ended with ", DescribeExit(end->status), ":\n", output));
  }
  return output;
}

class Coverage {
 public:
  Coverage(const std::string& pages, bool all)
      : pages_(pages.empty() ? TreePath("build/coverage/html") : pages), all_(all) {}

  int Run() {
    BuildTargets(kPreset, {"cancelsafe"});
    RunCorpus();
    printf("%-16s %8s %10s\n", "", "lines", "branches");
    for (const Room& room : Rooms()) PrintTotals(room);
    Explain();
    for (const Room& room : Rooms()) {
      Cov("show", room,
          {"-format=html", "-show-branches=count",
           absl::StrCat("-output-dir=", pages_, "/", FolderName(room))});
    }
    printf("pages: %s/implementation/index.html and the rooms beside it\n", pages_.c_str());
    for (const std::string& target : FuzzTargetNames(false)) {
      printf("\nSituations of %s, reached/possible:\n", target.c_str());
      std::vector<std::string> command = {OwnPath(), "corpus",   "matrix",
                                          target,    "--corpus", TreePath("corpus")};
      if (all_) command.push_back("--all");
      printf("%s", OutputOf(command).c_str());
    }
    return well_ ? kExitOk : kExitViolation;
  }

 private:
  static std::string FolderName(const Room& room) {
    std::string name = room.name;
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
  }
  std::string Program() const { return TreeRoot() + "/build/coverage/cancelsafe"; }
  std::string Profile() const { return TreeRoot() + "/build/coverage/corpus.profdata"; }

  void RunCorpus() const {
    const std::string profiles = TreeRoot() + "/build/coverage/profiles";
    fs::remove_all(profiles);
    const absl::Status made = MakeFolder(profiles);
    RequireOk(made);
    for (const std::string& target : FuzzTargetNames(false)) {
      OutputOf({Program(), "corpus", "matrix", target, "--programs", "0", "--corpus",
                TreeRoot() + "/corpus"},
               {absl::StrCat("LLVM_PROFILE_FILE=", profiles, "/", target, ".profraw")});
    }
    std::vector<std::string> merge = {absl::StrCat(kLlvm, "llvm-profdata"), "merge", "-sparse",
                                      "-o", Profile()};
    for (const std::string& path : FilesIn(profiles)) merge.push_back(path);
    OutputOf(merge);
  }

  std::vector<std::string> Sources(const Room& room) const {
    std::vector<std::string> sources;
    for (const char* folder : room.folders) {
      for (const std::string& path : FilesIn(absl::StrCat(TreeRoot(), "/", folder))) {
        if (IsMeasured(path)) sources.push_back(path);
      }
    }
    return sources;
  }

  // llvm-cov on the sources of a room.
  std::string Cov(const std::string& command, const Room& room,
                  const std::vector<std::string>& flags) const {
    std::vector<std::string> words = {absl::StrCat(kLlvm, "llvm-cov"), command, Program(),
                                      absl::StrCat("-instr-profile=", Profile())};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back("-sources");
    for (const std::string& source : Sources(room)) words.push_back(source);
    return OutputOf(words);
  }

  nlohmann::json Exported(const Room& room, const std::vector<std::string>& flags) const {
    const std::string text = Cov("export", room, flags);
    const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
    if (!parsed.is_object()) throw SetupError("llvm-cov wrote no JSON: " + text);
    return parsed["data"][0];
  }

  void PrintTotals(const Room& room) {
    const nlohmann::json totals = Exported(room, {"-summary-only"})["totals"];
    const double lines = totals["lines"]["percent"], branches = totals["branches"]["percent"];
    printf("%-16s %7.2f%% %9.2f%%\n", room.name, lines, branches);
    if (&room != &Rooms()[0] || (lines >= kLinesMin && branches >= kBranchesMin)) return;
    printf("  too little: the implementation must have %.0f %% of lines and %.0f %% of branches\n",
           kLinesMin, kBranchesMin);
    well_ = false;
  }

  // "FILE | first line" of each block of lines of the implementation that was not run.
  std::vector<std::string> Uncovered() const {
    std::vector<std::string> blocks;
    for (const std::string& source : Sources(Rooms()[0])) {
      const std::string shown =
          OutputOf({absl::StrCat(kLlvm, "llvm-cov"), "show", Program(),
                    absl::StrCat("-instr-profile=", Profile()), "-sources", source});
      const std::string name = source.substr(TreeRoot().size() + 1);
      int previous = -1;
      for (const absl::string_view line : absl::StrSplit(shown, '\n')) {
        const std::vector<absl::string_view> columns =
            absl::StrSplit(line, absl::MaxSplits('|', 2));
        int number = 0;
        if (columns.size() != 3 || !absl::SimpleAtoi(columns[0], &number) ||
            absl::StripAsciiWhitespace(columns[1]) != "0") {
          continue;
        }
        if (number != previous + 1) {
          blocks.push_back(absl::StrCat(name, " | ", absl::StripAsciiWhitespace(columns[2])));
        }
        previous = number;
      }
    }
    return blocks;
  }

  // The uncovered blocks with their reasons, strict both ways.
  void Explain() {
    const std::string path = TreePath(kReasons);
    const absl::StatusOr<std::string> text = ReadFile(path);
    RequireOk(text);
    const std::vector<std::string> blocks = Uncovered();
    std::set<std::string> known;
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(*text, '\n'))) {
      if (line.empty() || line[0] == '#') continue;
      const std::string block = line.substr(0, line.rfind(" | "));
      known.insert(block);
      if (std::find(blocks.begin(), blocks.end(), block) != blocks.end()) {
        printf("  not run: %s\n", line.c_str());
        continue;
      }
      printf("  %s: is covered, or does not exist any more: %s\n", kReasons, block.c_str());
      well_ = false;
    }
    for (const std::string& block : blocks) {
      if (known.count(block) != 0) continue;
      printf("  not run, and %s has no reason: %s\n", kReasons, block.c_str());
      well_ = false;
    }
  }

  const std::string pages_;
  const bool all_;
  bool well_ = true;
};

struct Options {
  std::string pages;
  bool all = false;
};

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  AddText(app, "--pages", &options->pages, "DIR", "where the pages go (build/coverage/html)");
  AddSwitch(app, "--all", &options->all, "name every situation that is possible and not reached");
  return [options] { return Coverage(options->pages, options->all).Run(); };
}

const RegisterSubcommand registered(
    {"coverage", SubcommandGroup::kMeasure, "measure what the corpus covers", "",
     "Runs the corpus, and nothing else, and says what of the implementation, the oracle and the "
     "harness that covers: a summary, the uncovered lines of the implementation with the reasons "
     "that impl/uncovered.txt gives, pages of source, and for each target a table of the "
     "situations (state of the queue, operation) that are reached.",
     "Exit status 1: less than 95 % of the implementation's lines or 90 % of its branches are "
     "covered, or an uncovered line has no reason.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
