// cancelsafe corpus: looks after the corpus of a target: lists, adds, converts,
// makes small, and says what each file covers.
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/hash.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/report.h"
#include "fuzzers/targets/target_names.h"
#include "fuzzers/tools/corpus_folder.h"
#include "fuzzers/tools/corpus_prune.h"
#include "fuzzers/tools/guest.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/situation_matrix.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> paths;  // the command and the target first
  std::string command;
  Family family = Family::kCsq;
  GuestFlags guest;
  std::string corpus = "corpus";
  std::string work;
  std::string output;
  bool regressions = false;
  bool bytes = false;
  bool remove = false;
  int programs = 100000;
  bool all = false;
};

class Corpus {
 public:
  explicit Corpus(const Options& options) : options_(options) {}

  int Run() {
    if (options_.command == "add") return Add();
    if (options_.command == "convert") return Convert();
    entries_ = ReadCorpus(options_.family, Folders());
    if (options_.command == "list") return List();
    implementation_ = LoadGuest(options_.guest);
    const char* missing = nullptr;
    Runner runner(options_.family, implementation_, RunnerOptionsOf(options_.guest), &missing);
    CheckProvided(missing);
    RunCorpus(&runner, &entries_);
    if (options_.command == "matrix") return Matrix(&runner);
    return options_.command == "stats" ? Stats() : Minimize();
  }

 private:
  std::string Folder(const char* kind) const {
    return absl::StrCat(options_.corpus, "/", TargetFolderOf(options_.family), "/", kind);
  }
  std::vector<std::string> Folders() const {
    if (!options_.paths.empty()) return options_.paths;
    return {Folder("seeds"), Folder("regressions")};
  }
  ProgramFile Open(const std::string& path) const {
    absl::StatusOr<ProgramFile> file = OpenProgramFile(path, options_.family);
    if (!file.ok()) throw UsageError(std::string(file.status().message()));
    return *std::move(file);
  }
  void Write(const std::string& path, const std::string& contents) const {
    const absl::Status status = WriteFileAtomically(path, contents);
    RequireOk(status);
  }
  void MakeOutputFolder(const std::string& path) const {
    const absl::Status status = MakeFolder(path);
    RequireOk(status);
  }

  int List() const;
  int Add();
  int Convert() const;
  int Minimize() const;
  int Stats() const;
  int Matrix(Runner* runner) const;

  const Options& options_;
  Implementation implementation_;
  std::vector<CorpusEntry> entries_;
};

int Corpus::List() const {
  int unreadable = 0;
  for (const CorpusEntry& entry : entries_) {
    if (!entry.error.empty()) {
      printf("%s\n", entry.error.c_str());
      ++unreadable;
      continue;
    }
    const Program& program = entry.file.program;
    printf("%-44s %2d operations %d fibers  %s\n", fs::path(entry.path).filename().c_str(),
           program.operation_count, program.fibers,
           entry.file.header_comments.empty() ? "" : entry.file.header_comments[0].c_str());
  }
  printf("%zu files\n", entries_.size());
  return unreadable == 0 ? 0 : kExitUsage;
}

int Corpus::Add() {
  if (options_.paths.empty())
    throw UsageError("add: no file named; see 'cancelsafe corpus --help'");
  std::map<std::string, std::string> known;
  for (const CorpusEntry& entry :
       ReadCorpus(options_.family, {Folder("seeds"), Folder("regressions")})) {
    if (entry.error.empty()) known[PrintProgram(entry.file.program)] = entry.path;
  }
  const std::string folder = Folder(options_.regressions ? "regressions" : "seeds");
  MakeOutputFolder(folder);
  for (const std::string& path : options_.paths) {
    ProgramFile file = Open(path);
    // What it failed with is history: a replay compares with what a header names.
    for (std::string& line : file.header_comments) {
      if (absl::StartsWith(line, "VERDICT ")) line.replace(0, strlen("VERDICT "), "was: ");
    }
    const std::string text = PrintProgram(file.program);
    const auto same = known.find(text);
    if (same != known.end()) {
      printf("%s: is there already: %s\n", path.c_str(), same->second.c_str());
      continue;
    }
    std::string name = absl::StrCat(fs::path(path).stem().string(), ".txt");
    if (fs::exists(absl::StrCat(folder, "/", name))) {
      name = absl::StrFormat("%s_%08x.txt", fs::path(path).stem().string(), HashText32(text));
    }
    const std::string out = absl::StrCat(folder, "/", name);
    Write(out, PrintProgramFile(file));
    known[text] = out;
    printf("%s: added as %s\n", path.c_str(), out.c_str());
  }
  return 0;
}

int Corpus::Convert() const {
  if (options_.paths.empty())
    throw UsageError("convert: no file named; see 'cancelsafe corpus --help'");
  if (!options_.output.empty() && options_.paths.size() != 1) {
    throw UsageError("convert: --output takes one file at a time");
  }
  for (const std::string& path : options_.paths) {
    const ProgramFile file = Open(path);
    std::string contents = PrintProgramFile(file);
    if (options_.bytes) {
      uint8_t bytes[kMaxProgramBytes];
      const size_t size = EncodeProgram(file.program, bytes, sizeof bytes);
      contents.assign(reinterpret_cast<const char*>(bytes), size);
    }
    std::string out = options_.output;
    if (out.empty()) {
      out = fs::path(path).replace_extension(options_.bytes ? ".bin" : ".txt").string();
    }
    Write(out, contents);
    printf("%s: written to %s\n", path.c_str(), out.c_str());
  }
  return 0;
}

int Corpus::Minimize() const {
  const std::vector<size_t> kept = SmallestCover(entries_);
  std::set<size_t> keep(kept.begin(), kept.end());
  if (!options_.output.empty()) MakeOutputFolder(options_.output);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const CorpusEntry& entry = entries_[i];
    if (!entry.error.empty()) {
      printf("unreadable  %s\n", entry.error.c_str());
    } else if (keep.count(i) == 0) {
      printf("%s  %s\n", options_.remove ? "deleted   " : "not needed", entry.path.c_str());
      if (options_.remove) unlink(entry.path.c_str());
    } else if (!options_.output.empty()) {
      Write(absl::StrCat(options_.output, "/", fs::path(entry.path).stem().string(), ".txt"),
            PrintProgramFile(entry.file));
    }
  }
  printf("%zu of %zu files cover everything\n", kept.size(), entries_.size());
  return 0;
}

int Corpus::Stats() const {
  std::map<uint32_t, int> code, states, switches;
  for (const CorpusEntry& entry : entries_) {
    for (const uint32_t place : entry.code) ++code[place];
    for (const uint32_t state : entry.states) ++states[state];
    for (const uint32_t change : entry.switches) ++switches[change];
  }
  const auto alone = [](const std::vector<uint32_t>& mine, const std::map<uint32_t, int>& all) {
    int count = 0;
    for (const uint32_t place : mine) count += all.at(place) == 1;
    return count;
  };
  printf("%-44s %5s %6s %8s %6s\n", "file", "code", "states", "switches", "alone");
  int bad = 0;
  for (const CorpusEntry& entry : entries_) {
    const std::string name = fs::path(entry.path).filename().string();
    if (!entry.error.empty()) {
      printf("%-44s unreadable: %s\n", name.c_str(), entry.error.c_str());
      ++bad;
      continue;
    }
    printf("%-44s %5zu %6zu %8zu %6d\n", name.c_str(), entry.code.size(), entry.states.size(),
           entry.switches.size(),
           alone(entry.code, code) + alone(entry.states, states) + alone(entry.switches, switches));
    if (!entry.duplicate_of.empty()) printf("  duplicate of %s\n", entry.duplicate_of.c_str());
    if (!entry.stale.empty()) printf("  stale: %s\n", entry.stale.c_str());
    bad += !entry.duplicate_of.empty() || !entry.stale.empty();
  }
  printf(
      "%zu files cover %zu places of the code, %zu states, %zu switches; %d stale, duplicate "
      "or unreadable\n",
      entries_.size(), code.size(), states.size(), switches.size(), bad);
  return bad == 0 ? 0 : kExitViolation;
}

// The runner has run the corpus and nothing else.
int Corpus::Matrix(Runner* runner) const {
  SituationMatrix matrix(options_.family, runner->checker().situations(options_.family));
  Program program;
  for (int seed = 1; seed <= options_.programs; ++seed) {
    GenerateProgram(options_.family, static_cast<uint64_t>(seed), &program);
    runner->Run(program);
  }
  matrix.SetReachable(runner->checker().situations(options_.family));
  printf("%s", matrix.Table().c_str());
  if (options_.all) printf("%s", matrix.NeverReached().c_str());
  return 0;
}

const std::vector<std::string>& CommandNames() {
  static const std::vector<std::string> names = {"add",    "convert", "list", "minimize",
                                                 "matrix", "prune",   "stats"};
  return names;
}

int Prune(const Options& options) {
  std::vector<std::string> targets;
  for (size_t i = 1; i < options.paths.size(); ++i) {
    const FuzzTarget* const target = FindFuzzTarget(options.paths[i]);
    if (target == nullptr) CheckWord("target", options.paths[i], FuzzTargetNames(true));
    targets.push_back(target->name);
  }
  return PruneCorpus(options.work.empty() ? TreePath("build/campaign") : options.work, targets);
}

int Run(Options* options) {
  std::vector<std::string>& paths = options->paths;
  if (!paths.empty()) CheckWord("corpus command", paths[0], CommandNames());
  if (!paths.empty() && paths[0] == "prune") return Prune(*options);
  if (paths.size() < 2) {
    throw UsageError(
        absl::StrCat(paths.empty() ? "name a command and a target" : paths[0] + ": name a target",
                     "; the targets are ", absl::StrJoin(FuzzTargetNames(false), ", "),
                     "; see 'cancelsafe corpus --help'"));
  }
  options->command = paths[0];
  options->family = *FamilyOfTarget(paths[1]);
  paths.erase(paths.begin(), paths.begin() + 2);
  return Corpus(*options).Run();
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  AddCorpus(app, &options->corpus);
  AddSwitch(app, "--regressions", &options->regressions,
            "add: to the regressions instead of the seeds");
  AddSwitch(app, "--bytes", &options->bytes, "convert: to bytes (.bin) instead of text (.txt)");
  AddText(app, "--output", &options->output, "PATH",
          "convert: write this file; minimize: write the files that are needed to this folder, "
          "as text");
  AddSwitch(app, "--delete", &options->remove, "minimize: delete the files that are not needed");
  AddNumber(app, "--programs", &options->programs, 0, INT_MAX,
            "matrix: compare with what this many generated programs reach (100000)");
  AddSwitch(app, "--all", &options->all, "matrix: name every situation that no file reaches");
  AddWork(app, &options->work, "prune: a campaign's corpus", "build/campaign");
  AddGuestFlags(app, &options->guest);
  std::vector<std::string> words = CommandNames();
  for (const std::string& name : FuzzTargetNames(false)) words.push_back(name);
  AddArguments(app, "ARGUMENT", &options->paths, words);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"corpus", SubcommandGroup::kWorkOn, "list, add to, convert, merge and measure the corpus",
     "COMMAND TARGET [PATH...]",
     "The commands:\n"
     "  list TARGET               every file with its size and what its header says\n"
     "  add TARGET FILE...        put programs, as text, into the seeds; duplicates are left "
     "out\n"
     "  convert TARGET FILE...    rewrite programs beside them, as text or bytes\n"
     "  minimize TARGET [DIR...]  merge by coverage: name the files that cover nothing that "
     "smaller ones do not\n"
     "  stats TARGET [DIR...]     what each file covers, duplicates and stale files\n"
     "  matrix TARGET [DIR...]    the situations (state of the queue, operation) that the files "
     "reach, beside those that generated programs reach\n"
     "  prune [TARGET...]         make the corpus that campaigns have grown small again",
     "Coverage is that of the code (in the build without sanitizer), of the model's states, and "
     "of the switches between fibers.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
