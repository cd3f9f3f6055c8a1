// cancelsafe-corpus: looks after the corpus of a target: lists, adds, converts,
// makes small, and says what each file covers.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/run/report.h"
#include "fuzzers/tools/corpus_folder.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/situation_matrix.h"
#include "fuzzers/tools/tool_flags.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr char kHelp[] = R"(usage: cancelsafe-corpus COMMAND TARGET [flags] [FILE...]

  list TARGET               every file with its size and what its header says
  add TARGET FILE...        puts programs, as text, into the seeds; those that the
                            corpus has already are left out
  convert TARGET FILE...    rewrites programs beside them, as text (.txt) or bytes
                            (.bin), or into --output FILE
  minimize TARGET [DIR...]  merges by coverage: names the files that cover nothing
                            that smaller ones do not. With --output DIR it writes the
                            others there as text, with --delete it deletes these
  stats TARGET [DIR...]     what each file covers, duplicates and stale files
  matrix TARGET [DIR...]    the situations (state of the queue, operation) that the
                            files reach, beside those that --programs N generated
                            programs reach; with --all each one that no file reaches

TARGET is csq, device-queue, start-io or callback-data-queue. Coverage is that of the
code (in the build without sanitizer), of the model's states, and of the switches
between fibers.

  --corpus DIR              the corpus (default: corpus)
  --regressions             add to the regressions instead of the seeds
  --bytes                   convert to bytes (default: to text)
  --output PATH             see above
  --delete                  see above
  --programs N              see above (100000)
  --all                     see above
  --implementation FILE.so  run against this shared object

Exit status: 0 all is well, 1 stats found stale files or duplicates, 2 wrong usage or
an unreadable file, 3 set-up failed.
)";

// FNV-1a: a name only has to be the same every time.
uint32_t HashText(const std::string& text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

struct Options {
  std::string command;
  Family family = Family::kCsq;
  std::vector<std::string> paths;
  std::string corpus = "corpus";
  std::string output;
  bool regressions = false;
  bool bytes = false;
  bool remove = false;
  long programs = 100000;
  bool all = false;
};

Options ReadOptions(ToolFlags* flags) {
  Options options;
  std::string flag;
  while (flags->Next(&flag)) {
    if (flag == "--help") {
      printf("%s", kHelp);
      exit(0);
    } else if (flag == "--corpus") {
      options.corpus = flags->Value(flag);
    } else if (flag == "--output") {
      options.output = flags->Value(flag);
    } else if (flag == "--regressions") {
      options.regressions = true;
    } else if (flag == "--bytes") {
      options.bytes = true;
    } else if (flag == "--programs") {
      options.programs = flags->Number(flag, 0);
    } else if (flag == "--all") {
      options.all = true;
    } else if (flag == "--delete") {
      options.remove = true;
    } else {
      flags->FailUnknown(flag);
    }
  }
  static const std::set<std::string> kCommands = {"list",     "add",   "convert",
                                                  "minimize", "stats", "matrix"};
  options.paths = flags->files();
  if (options.paths.size() < 2 || kCommands.count(options.paths[0]) == 0) {
    flags->Fail(kExitUsage, "name a command and a target; see --help");
  }
  options.command = options.paths[0];
  const std::optional<Family> family = FamilyOfTarget(options.paths[1]);
  if (!family) {
    flags->Fail(kExitUsage,
                absl::StrCat("unknown target '", options.paths[1], "'; known: ", TargetNames()));
  }
  options.family = *family;
  options.paths.erase(options.paths.begin(), options.paths.begin() + 2);
  return options;
}

class Corpus {
 public:
  Corpus(const ToolFlags& flags, const Options& options) : flags_(flags), options_(options) {}

  int Run() {
    if (options_.command == "add") return Add();
    if (options_.command == "convert") return Convert();
    entries_ = ReadCorpus(options_.family, Folders());
    if (options_.command == "list") return List();
    implementation_ = flags_.Load();
    const char* missing = nullptr;
    Runner runner(options_.family, implementation_, flags_.runner(), &missing);
    flags_.CheckProvided(missing);
    RunCorpus(&runner, &entries_);
    if (options_.command == "matrix") return Matrix(&runner);
    return options_.command == "stats" ? Stats() : Minimize();
  }

 private:
  std::string Folder(const char* kind) const {
    return absl::StrCat(options_.corpus, "/", FolderOf(options_.family), "/", kind);
  }
  std::vector<std::string> Folders() const {
    if (!options_.paths.empty()) return options_.paths;
    return {Folder("seeds"), Folder("regressions")};
  }
  ProgramFile Open(const std::string& path) const {
    absl::StatusOr<ProgramFile> file = OpenProgramFile(path, options_.family);
    if (!file.ok()) flags_.Fail(kExitUsage, std::string(file.status().message()));
    return *std::move(file);
  }
  void Write(const std::string& path, const std::string& contents) const {
    const absl::Status status = WriteFileAtomically(path, contents);
    if (!status.ok()) flags_.Fail(kExitSetup, std::string(status.message()));
  }
  void MakeFolder(const std::string& path) const {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
      flags_.Fail(kExitSetup, absl::StrCat("cannot create ", path, ": ", error.message()));
    }
  }

  int List() const;
  int Add();
  int Convert() const;
  int Minimize() const;
  int Stats() const;
  int Matrix(Runner* runner) const;

  const ToolFlags& flags_;
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
  if (options_.paths.empty()) flags_.Fail(kExitUsage, "add: no file named; see --help");
  std::map<std::string, std::string> known;
  for (const CorpusEntry& entry :
       ReadCorpus(options_.family, {Folder("seeds"), Folder("regressions")})) {
    if (entry.error.empty()) known[PrintProgram(entry.file.program)] = entry.path;
  }
  const std::string folder = Folder(options_.regressions ? "regressions" : "seeds");
  MakeFolder(folder);
  for (const std::string& path : options_.paths) {
    const ProgramFile file = Open(path);
    const std::string text = PrintProgram(file.program);
    const auto same = known.find(text);
    if (same != known.end()) {
      printf("%s: is there already: %s\n", path.c_str(), same->second.c_str());
      continue;
    }
    std::string name = absl::StrCat(fs::path(path).stem().string(), ".txt");
    if (fs::exists(absl::StrCat(folder, "/", name))) {
      name = absl::StrFormat("%s_%08x.txt", fs::path(path).stem().string(), HashText(text));
    }
    const std::string out = absl::StrCat(folder, "/", name);
    Write(out, PrintProgramFile(file));
    known[text] = out;
    printf("%s: added as %s\n", path.c_str(), out.c_str());
  }
  return 0;
}

int Corpus::Convert() const {
  if (options_.paths.empty()) flags_.Fail(kExitUsage, "convert: no file named; see --help");
  if (!options_.output.empty() && options_.paths.size() != 1) {
    flags_.Fail(kExitUsage, "convert: --output takes one file at a time");
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
  if (!options_.output.empty()) MakeFolder(options_.output);
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
  for (long seed = 1; seed <= options_.programs; ++seed) {
    GenerateProgram(options_.family, static_cast<uint64_t>(seed), &program);
    runner->Run(program);
  }
  matrix.SetReachable(runner->checker().situations(options_.family));
  printf("%s", matrix.Table().c_str());
  if (options_.all) printf("%s", matrix.NeverReached().c_str());
  return 0;
}

int Main(int argc, char** argv) {
  ToolFlags flags("cancelsafe-corpus", argc, argv);
  const Options options = ReadOptions(&flags);
  return Corpus(flags, options).Run();
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
