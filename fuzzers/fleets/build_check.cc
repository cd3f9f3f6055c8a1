// See build_check.h.
#include "fuzzers/fleets/build_check.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fuzzers/fleets/elf_facts.h"
#include "fuzzers/fleets/relocated_build.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

// What bad_build_check asks for: so many calls of the runtime of the sanitizer that a
// build claims, and hardly any of the other one's.
constexpr int kAsanCallsMin = 1000;
constexpr int kAsanCallsElsewhereMax = 50;
constexpr int kUbsanCallsMin = 100;
constexpr int kUbsanCallsElsewhereMax = 200;
constexpr int kEdgesMin = 100;
// Of the edges that AFL++ sees, in per cent, so many are the same whenever an input is
// run again. (The others are of the harness, where a container grows in one run only.)
constexpr double kStabilityMin = 90;
// What every machine that runs a target has.
constexpr const char* kLibrariesOfC[] = {"libc.so.6",           "libm.so.6",       "libresolv.so.2",
                                         "libdl.so.2",          "libpthread.so.0", "librt.so.1",
                                         "ld-linux-x86-64.so.2"};
// As ClusterFuzz sets them, as far as they change what a target does.
constexpr char kFleetAsanOptions[] =
    "ASAN_OPTIONS=alloc_dealloc_mismatch=0:allocator_may_return_null=1:detect_odr_violation=2:"
    "detect_leaks=1:detect_stack_use_after_return=0:handle_abort=2:handle_segv=2:handle_sigbus=2:"
    "handle_sigfpe=2:handle_sigill=2:max_uar_stack_size_log=16:quarantine_size_mb=10:"
    "strict_memcmp=1:symbolize=0:use_sigaltstack=1";
constexpr char kFleetUbsanOptions[] =
    "UBSAN_OPTIONS=print_stacktrace=1:print_summary=1:silence_unsigned_overflow=1:symbolize=0";
// What run_fuzzer appends under AFL++, which refuses to run without it.
constexpr char kAflAsanSuffix[] = ":abort_on_error=1:symbolize=0:detect_odr_violation=0:";

std::vector<std::string> LinesOf(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string LastLines(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  std::string last;
  for (size_t i = lines.size() - std::min<size_t>(lines.size(), 15); i < lines.size(); ++i) {
    absl::StrAppend(&last, "\n    ", lines[i]);
  }
  return last;
}

// One target and all that is asked of it.
class Checker {
 public:
  Checker(const FuzzBuild& build, const RelocatedBuild& moved, std::string target)
      : build_(build), moved_(moved) {
    result_.target = std::move(target);
  }

  TargetCheck Check(const std::vector<CommandLine>& lines) {
    CheckProgram();
    CheckOptions();
    CheckDictionary();
    UnpackSeeds();
    // What the command lines name is there.
    if (result_.complaints.empty()) {
      for (const CommandLine& line : lines) RunLine(line);
    }
    if (result_.complaints.empty() && build_.sanitizer == "coverage") CheckProfile();
    return result_;
  }

 private:
  void Bad(const std::string& complaint) { result_.complaints.push_back(complaint); }
  std::string Beside(const char* extension) const {
    return moved_.Path(result_.target + extension);
  }

  void CheckProgram() {
    const absl::StatusOr<ElfFacts> elf = ReadElf(moved_.Path(result_.target));
    if (!elf.ok()) return Bad(std::string(elf.status().message()));
    for (const std::string& library : elf->needed) {
      if (std::count(std::begin(kLibrariesOfC), std::end(kLibrariesOfC), library) == 0) {
        Bad(absl::StrCat("needs ", library, ", which other machines lack"));
      }
    }
    if (elf->has_run_path) Bad("has a library path of the building machine (RUNPATH)");
    if (build_.sanitizer == "coverage" && !elf->has_coverage_map) {
      Bad("claims source coverage and has no map of it");
    }
    CheckCalls("AddressSanitizer", build_.sanitizer == "address", elf->asan_calls, kAsanCallsMin,
               kAsanCallsElsewhereMax);
    CheckCalls("UBSan", build_.sanitizer == "undefined", elf->ubsan_calls, kUbsanCallsMin,
               kUbsanCallsElsewhereMax);
  }

  void CheckCalls(const char* sanitizer, bool claimed, int calls, int least, int most_elsewhere) {
    if (claimed && calls < least) {
      Bad(absl::StrCat("claims ", sanitizer, " and calls it at ", calls, " places; at least ",
                       least, " expected"));
    } else if (!claimed && calls > most_elsewhere) {
      Bad(absl::StrCat("claims ", build_.sanitizer, " and calls ", sanitizer, " at ", calls,
                       " places; at most ", most_elsewhere, " expected"));
    }
  }

  // Options are INI; those of the engine are tried as its flags.
  void CheckOptions() {
    std::string section;
    const std::vector<std::string> lines = LinesOf(Beside(".options"));
    if (lines.empty()) Bad("has no options");
    for (const std::string& line : lines) {
      const std::vector<std::string> sides = absl::StrSplit(line, absl::MaxSplits(" = ", 1));
      if (line.size() > 2 && line.front() == '[' && line.back() == ']') {
        section = line.substr(1, line.size() - 2);
      } else if (sides.size() == 2 && !sides[0].empty() && !sides[1].empty() && !section.empty()) {
        if (section == "libfuzzer") options_.push_back(absl::StrCat("-", sides[0], "=", sides[1]));
      } else if (!line.empty() && line[0] != '#') {
        Bad(absl::StrCat("has options with this line: ", line));
      }
    }
  }

  // name="value" or "value", with \\, \" and \xNN as the only escapes.
  static bool IsEntry(absl::string_view line) {
    while (!line.empty() && (isalnum(static_cast<unsigned char>(line[0])) != 0 || line[0] == '_')) {
      line.remove_prefix(1);
    }
    absl::ConsumePrefix(&line, "=");
    if (!absl::ConsumePrefix(&line, "\"") || !absl::ConsumeSuffix(&line, "\"")) return false;
    const bool empty = line.empty();
    while (!line.empty()) {
      if (line[0] == '"') return false;
      if (line[0] != '\\') {
        line.remove_prefix(1);
      } else if (absl::StartsWith(line, "\\\\") || absl::StartsWith(line, "\\\"")) {
        line.remove_prefix(2);
      } else if (line.size() >= 4 && line[1] == 'x' &&
                 isxdigit(static_cast<unsigned char>(line[2])) != 0 &&
                 isxdigit(static_cast<unsigned char>(line[3])) != 0) {
        line.remove_prefix(4);
      } else {
        return false;
      }
    }
    return !empty;
  }

  void CheckDictionary() {
    int entries = 0;
    std::error_code error;
    if (!fs::exists(Beside(".dict"), error)) return Bad("has no dictionary");
    for (const std::string& line : LinesOf(Beside(".dict"))) {
      if (line.empty() || line[0] == '#') continue;
      ++entries;
      if (!IsEntry(line)) Bad(absl::StrCat("has a dictionary with this line: ", line));
    }
    if (entries == 0) Bad("has an empty dictionary");
  }

  void UnpackSeeds() {
    corpus_ = moved_.NewFolder("corpus/" + result_.target);
    std::error_code error;
    if (!moved_.Unpack(result_.target + "_seed_corpus.zip", corpus_)) {
      return Bad("has no seed corpus, or one that is not an archive");
    }
    for (const auto& entry : fs::directory_iterator(corpus_, error)) {
      if (entry.is_regular_file()) seeds_.push_back(entry.path().string());
      fs::permissions(entry.path(), fs::perms::others_read, fs::perm_options::add, error);
    }
    std::sort(seeds_.begin(), seeds_.end());
    if (seeds_.empty()) Bad("has a seed corpus without files");
  }

  void RunLine(const CommandLine& line) {
    scratch_ = moved_.NewFolder("scratch");
    const Words words = {
        {"@target", {"./" + result_.target}},
        {"@corpus", {corpus_}},
        {"@input", {seeds_[0]}},
        {"@new", {moved_.NewFolder("new")}},
        {"@scratch", {scratch_}},
        {"@dict", {result_.target + ".dict"}},
        {"@options", options_},
        {"@fleet",
         {absl::StrCat(kFleetAsanOptions, build_.engine == "afl" ? kAflAsanSuffix : ""),
          kFleetUbsanOptions}}};
    absl::StatusOr<std::vector<std::string>> environment = Expand(line.environment, words);
    absl::StatusOr<std::vector<std::string>> arguments = Expand(line.arguments, words);
    if (!environment.ok()) return Bad(std::string(environment.status().message()));
    if (!arguments.ok()) return Bad(std::string(arguments.status().message()));
    // Of the engine's own programs, not of the target.
    if (arguments->front() == "afl-fuzz") environment->push_back("PATH=/usr/bin:/bin");
    ++result_.started;
    const CommandEnd end = moved_.Run(*environment, *arguments);
    const std::string name = absl::StrCat("the command line '", line.name, "'");
    if (!end.clean) {
      return Bad(
          absl::StrCat("does not end cleanly on ", name, ": ", end.how, LastLines(end.output)));
    }
    if (build_.engine == "libfuzzer") CheckLibFuzzer(line, name, end.output);
    if (arguments->front() == "afl-fuzz") CheckAflFuzz(end.output);
    if (line.name == "seeds" && build_.sanitizer == "coverage") profile_ = KeepProfile();
  }

  // That the engine did what it was asked for, and not only ended.
  void CheckLibFuzzer(const CommandLine& line, const std::string& name, const std::string& output) {
    for (const std::string& argument : line.arguments) {
      absl::string_view runs = argument;
      // With a corpus the engine counts its files too.
      if (absl::ConsumePrefix(&runs, "-runs=") && line.arguments.back() == argument &&
          !absl::StrContains(output, absl::StrCat("Done ", runs, " runs"))) {
        Bad(absl::StrCat("does not make the runs of ", name, LastLines(output)));
      }
      if (absl::StartsWith(argument, "-dict=") && !absl::StrContains(output, "Dictionary: ")) {
        Bad(absl::StrCat("has a dictionary that libFuzzer does not read", LastLines(output)));
      }
    }
    if (absl::StrContains(output, "unrecognized flag")) {
      Bad("has options that libFuzzer does not know");
    }
    // The coverage build counts for a report, not for the engine.
    if (line.name != "engine" || build_.sanitizer == "coverage") return;
    int edges = 0;
    for (const absl::string_view text : absl::StrSplit(output, '\n')) {
      const size_t at = text.find(" counters): ");
      int more = 0;
      if (!absl::StartsWith(text, "INFO: Loaded") || at == absl::string_view::npos) continue;
      std::istringstream(std::string(text.substr(at + 12))) >> more;
      edges += more;
    }
    if (edges < kEdgesMin) {
      Bad(absl::StrCat("counts ", edges, " edges; at least ", kEdgesMin,
                       " expected: is all of it instrumented?"));
    }
  }

  void CheckAflFuzz(const std::string& output) {
    if (!absl::StrContains(output, "All set and ready to roll")) {
      Bad(absl::StrCat("is not fuzzed by afl-fuzz", LastLines(output)));
    }
    int runs = 0, edges = 0;
    double stability = 0;
    for (const std::string& line : LinesOf(scratch_ + "/afl/default/fuzzer_stats")) {
      std::istringstream words(line);
      std::string name, colon, value;
      words >> name >> colon >> value;
      if (name == "execs_done") static_cast<void>(absl::SimpleAtoi(value, &runs));
      if (name == "edges_found") static_cast<void>(absl::SimpleAtoi(value, &edges));
      if (name == "stability") {
        static_cast<void>(absl::SimpleAtod(absl::StripSuffix(value, "%"), &stability));
      }
    }
    if (runs == 0) Bad("makes no runs under afl-fuzz");
    if (edges < kEdgesMin) {
      Bad(absl::StrCat("reaches ", edges, " edges under afl-fuzz; at least ", kEdgesMin,
                       " expected: is it instrumented?"));
    }
    if (stability < kStabilityMin) {
      Bad(absl::StrCat("is ", stability, " % stable under afl-fuzz; at least ", kStabilityMin,
                       " % expected"));
    }
  }

  std::string KeepProfile() {
    const std::string kept = moved_.NewFolder("profile") + "/seeds.profraw";
    std::error_code error;
    fs::copy_file(scratch_ + "/seeds.profraw", kept, error);
    return kept;
  }

  // The counts must be written, and be of code that a reader finds. The reader has to
  // be as old as the compiler.
  void CheckProfile() {
    const std::string merged = profile_ + ".profdata";
    for (const char* version : {"-19", "-14", ""}) {
      const auto tool = [&](const char* name) {
        return absl::StrCat("/usr/bin/llvm-", name, version);
      };
      if (!moved_.Run({}, {tool("profdata"), "merge", "-o", merged, profile_}).clean) continue;
      const CommandEnd exported = moved_.Run({}, {tool("cov"), "export", "-summary-only",
                                                  "-instr-profile", merged, "./" + result_.target});
      if (!exported.clean) continue;
      if (CoveredLines(exported.output) == 0) Bad("covers no line with its seed corpus");
      return;
    }
    Bad("writes no profile that can be read");
  }

  const FuzzBuild& build_;
  const RelocatedBuild& moved_;
  TargetCheck result_;
  std::vector<std::string> options_, seeds_;
  std::string corpus_, scratch_, profile_;
};

}  // namespace

int64_t CoveredLines(const std::string& exported) {
  const auto root = nlohmann::json::parse(exported, nullptr, false);
  if (root.is_discarded()) return 0;
  const auto covered = nlohmann::json::json_pointer("/data/0/totals/lines/covered");
  return root.contains(covered) ? root.at(covered).get<int64_t>() : 0;
}

absl::StatusOr<std::vector<TargetCheck>> CheckFuzzBuild(const FuzzBuild& build,
                                                        const std::vector<CommandLine>& lines) {
  const absl::StatusOr<std::unique_ptr<RelocatedBuild>> moved =
      RelocatedBuild::Create(build.folder);
  if (!moved.ok()) return moved.status();
  const std::vector<CommandLine> chosen = LinesFor(lines, build.engine, build.sanitizer);
  if (chosen.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no command lines for ", build.engine, " with ", build.sanitizer));
  }
  std::vector<TargetCheck> results;
  for (const std::string& target : (*moved)->Targets()) {
    results.push_back(Checker(build, **moved, target).Check(chosen));
  }
  return results;
}

}  // namespace cancelsafe
