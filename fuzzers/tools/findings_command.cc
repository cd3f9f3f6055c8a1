// cancelsafe findings: what a person needs of each finding of a campaign, in one folder.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr double kSecondsMax = 600;
constexpr char kReplayMark[] = "cancelsafe replay ";

std::vector<std::string> LinesOf(const std::string& text) { return absl::StrSplit(text, '\n'); }

// As Markdown shows it unchanged, without comments.
std::string Quoted(const std::string& text) {
  std::string quoted = "\n";
  for (const std::string& line : LinesOf(text)) {
    if (!line.empty() && line[0] != '#') absl::StrAppend(&quoted, "    ", line, "\n");
  }
  return quoted;
}

class Findings {
 public:
  Findings(const std::string& folder, const std::string& out) : folder_(folder), out_(out) {}

  int Run() {
    std::vector<std::string> files;
    for (std::string& path : FilesIn(folder_)) {
      absl::string_view stem = path;
      // As it was before it was made small: the same finding.
      if (absl::ConsumeSuffix(&stem, ".raw.txt") && fs::exists(absl::StrCat(stem, ".txt"))) {
        continue;
      }
      if (absl::EndsWith(path, ".txt")) files.push_back(std::move(path));
    }
    if (files.empty()) RequireNothingElse();
    summary_ = absl::StrCat("# Findings: ", files.size(), "\n");
    for (const std::string& path : files) Explain(path);
    RequireOk(MakeFolder(out_));
    RequireOk(WriteFileIn(out_, "summary.md", summary_));
    printf("Findings: %zu, in %s\n", files.size(), out_.c_str());
    return complete_ ? kExitOk : kExitViolation;
  }

 private:
  // "0 findings" of the wrong folder would be taken for good news.
  void RequireNothingElse() const {
    std::error_code error;
    const fs::directory_iterator first(folder_, error);
    if (!error && first == fs::directory_iterator()) return;
    const std::string below = folder_ + "/findings";
    throw UsageError(absl::StrCat(
        "'", folder_, "' ", error ? "cannot be read" : "has no finding (*.txt) and other files",
        fs::is_directory(below, error) ? absl::StrCat("; did you mean ", below, "?")
                                       : "; name the folder findings of a campaign"));
  }

  // Whether this program ended with that exit status; its output goes into `log_`.
  bool Cancelsafe(int wanted, const std::vector<std::string>& words) {
    std::vector<std::string> command = {OwnPath()};
    command.insert(command.end(), words.begin(), words.end());
    log_.clear();
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&log_, text); },
        // Which build a failure shows in is the front door's choice.
        {"CANCELSAFE_FRONT_DOOR=1"});
    return end.ok() && !end->status.signaled && end->status.code == wanted;
  }

  void Missing(const std::string& what) {
    complete_ = false;
    const std::vector<std::string> lines = LinesOf(std::string(absl::StripSuffix(log_, "\n")));
    absl::StrAppend(&summary_, "\nNo ", what, ": `",
                    absl::StrReplaceAll(lines.back().substr(0, 300), {{"`", ""}}), "`\n");
  }

  void Explain(const std::string& path) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    RequireOk(text.status());
    const std::string name = BaseName(path).substr(0, BaseName(path).size() - 4);
    const std::string folder = absl::StrCat(out_, "/", name);
    RequireOk(MakeFolder(folder));
    std::string verdict = "no verdict", target;
    std::vector<std::string> flags;
    for (const std::string& line : LinesOf(*text)) {
      if (absl::StartsWith(line, "# VERDICT ")) verdict = line.substr(2);
      if (absl::StartsWith(line, "target ")) target = line.substr(7);
      const size_t mark = line.find(kReplayMark);
      if (!absl::StartsWith(line, "# replay: ") || mark == std::string::npos) continue;
      flags = absl::StrSplit(line.substr(mark + sizeof kReplayMark - 1), ' ', absl::SkipEmpty());
      if (!flags.empty()) flags.pop_back();  // the path
    }
    RequireOk(WriteFileIn(folder, "input.txt", *text));
    const std::string input = folder + "/input.txt";
    const std::string small = folder + "/minimized.txt";

    std::string bytes_missing;
    const bool converted = Cancelsafe(kExitOk, {"corpus", "convert", target, input, "--bytes",
                                                "--output", folder + "/input.bin"});
    if (!converted) bytes_missing = log_;
    const auto replay = [&](const std::string& flag, const std::string& out,
                            const std::string& file) {
      std::vector<std::string> words = {"replay"};
      words.insert(words.end(), flags.begin(), flags.end());
      words.insert(words.end(), {flag, out, file});
      return Cancelsafe(kExitViolation, words);
    };
    const bool minimized = replay("--minimize", small, input) && fs::exists(small);
    const std::string shown = minimized ? small : input;
    const std::string command = absl::StrCat(FrontDoor(), " replay ", absl::StrJoin(flags, " "),
                                             flags.empty() ? "" : " ", shown, "\n");
    RequireOk(WriteFileIn(folder, "command.txt", command));
    absl::StrAppend(&summary_, "\n## ", name, "\n\n", verdict, "\n", Quoted(command));
    if (!minimized) Missing("minimized.txt");
    // A program that passes ends like one that fails where its header names a verdict.
    if (!replay("--html", folder + "/page.html", shown) ||
        absl::StrContains(log_, kHeaderDiffers)) {
      Missing("failure when it is replayed");
    } else if (!fs::exists(folder + "/page.html")) {
      Missing("page.html");
    }
    RequireOk(WriteFileIn(folder, "report.txt", log_));
    if (!converted) {
      log_ = bytes_missing;
      Missing("input.bin");
    }
    absl::StrAppend(&summary_, Quoted(ReadFile(shown).value_or("")));
  }

  const std::string folder_;
  const std::string out_;
  std::string summary_;
  std::string log_;
  bool complete_ = true;
};

int Run(const std::vector<std::string>& paths) {
  std::error_code error;
  if (paths.empty() || paths.size() > 2) {
    throw UsageError(
        "name the folder of the findings and perhaps one for the result; see "
        "'cancelsafe findings --help'");
  }
  if (!fs::is_directory(paths[0], error)) {
    throw UsageError(absl::StrCat(paths[0],
                                  " is not a folder; give the folder 'findings' of a "
                                  "campaign's work folder"));
  }
  return Findings(paths[0], paths.size() == 2 ? paths[1] : TreePath("build/explained")).Run();
}

std::function<int()> Declare(CLI::App* app) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  AddArguments(app, "FOLDER", paths.get());
  return [paths] { return Run(*paths); };
}

const RegisterSubcommand registered(
    {"findings", SubcommandGroup::kUnderstand, "explain every finding of a campaign",
     "FINDINGS [OUT]",
     "FINDINGS is the folder that a campaign saves failures in (build/campaign/findings). For each "
     "of them a folder in OUT (build/explained) gets\n"
     "  input.bin      the input as engines have it\n"
     "  input.txt      the same as text, as it was saved\n"
     "  minimized.txt  the smallest program that fails in the same way\n"
     "  page.html      its run as a picture\n"
     "  report.txt     its run step by step, with what was allowed\n"
     "  command.txt    the command that shows it again\n"
     "and OUT/summary.md gets them all in one page. What cannot be made is named there.",
     "Exit status 1: something could not be made.", &Declare});

}  // namespace
}  // namespace cancelsafe
