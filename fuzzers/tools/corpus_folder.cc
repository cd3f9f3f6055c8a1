// See corpus_folder.h.
#include "fuzzers/tools/corpus_folder.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/tools/program_input.h"

// Set where the plain flavour's coverage hooks are linked in.
extern "C" __attribute__((weak)) uint8_t* cancelsafe_counters_begin;
extern "C" __attribute__((weak)) uint8_t* cancelsafe_counters_end;

namespace cancelsafe {
namespace {

constexpr uint32_t kCounters = 1 << 16;

// A program that names a failure is kept because it used to fail; on an
// implementation that is right it passes.
bool NamesVerdict(const ProgramFile& file) {
  for (const std::string& line : file.header_comments) {
    Verdict verdict;
    if (ParseVerdictLine(line, &verdict) && !verdict.ok()) return true;
  }
  return false;
}

std::vector<uint32_t> Touched(uint8_t* begin, uint8_t* end) {
  std::vector<uint32_t> touched;
  for (uint8_t* counter = begin; counter != end; ++counter) {
    if (*counter != 0) touched.push_back(static_cast<uint32_t>(counter - begin));
    *counter = 0;
  }
  return touched;
}

std::vector<uint32_t> TouchedCode() {
  if (&cancelsafe_counters_begin == nullptr || cancelsafe_counters_begin == nullptr) return {};
  return Touched(cancelsafe_counters_begin, cancelsafe_counters_end);
}

// Under all schedules that the file stands for, or up to the first that fails: that is
// the run whose output stays.
void RunEntry(Runner* runner, const Program& given) {
  schedule::RunOptions options;
  options.fresh_records = true;
  Program program = given;
  ForEachSchedule(&program, [&](int) { return runner->Run(program, options); });
}

}  // namespace

CorpusEntry ReadCorpusEntry(Family family, const std::string& path) {
  CorpusEntry entry;
  entry.path = path;
  absl::StatusOr<std::string> contents = ReadBoundedFile(path);
  absl::StatusOr<ProgramFile> file =
      contents.ok() ? OpenProgramFile(path, family) : contents.status();
  if (!file.ok()) {
    entry.error = std::string(file.status().message());
    return entry;
  }
  entry.text = IsProgramText(*contents);
  entry.file = *std::move(file);
  entry.stale = entry.text && *contents != PrintProgramFile(entry.file)
                    ? "not in canonical form (convert rewrites it)"
                    : "";
  return entry;
}

std::vector<CorpusEntry> ReadCorpus(Family family, const std::vector<std::string>& folders) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    for (const std::string& path : FilesIn(folder)) {
      if (BaseName(path)[0] != '.') paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<CorpusEntry> entries;
  std::map<std::string, std::string> first_with;
  for (const std::string& path : paths) {
    CorpusEntry entry = ReadCorpusEntry(family, path);
    if (entry.error.empty()) {
      const auto [place, fresh] = first_with.emplace(PrintProgram(entry.file.program), path);
      if (!fresh) entry.duplicate_of = place->second;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

void RunCorpus(Runner* runner, std::vector<CorpusEntry>* entries) {
  static uint8_t states[kCounters];
  static uint8_t switches[kCounters];
  runner->SetStateCoverage(states, kCounters);
  schedule::Executor::Get().SetCoverage(switches, kCounters);
  for (CorpusEntry& entry : *entries) {
    if (!entry.error.empty()) continue;
    // Some places are passed in the first run of a process only.
    RunEntry(runner, entry.file.program);
    TouchedCode();
    Touched(states, states + kCounters);
    Touched(switches, switches + kCounters);
    RunEntry(runner, entry.file.program);
    entry.verdict = runner->output().verdict;
    entry.skipped = runner->output().skipped_operations;
    entry.code = TouchedCode();
    entry.states = Touched(states, states + kCounters);
    entry.switches = Touched(switches, switches + kCounters);
    if (!entry.stale.empty()) continue;
    if (!entry.verdict.ok() && !NamesVerdict(entry.file)) {
      entry.stale = absl::StrCat("does not pass: ", VerdictLine(entry.verdict));
    } else if (entry.skipped > 0 && entry.skipped == entry.file.program.operation_count) {
      entry.stale = "none of its operations can be made";
    }
  }
  runner->SetStateCoverage(nullptr, 0);
  schedule::Executor::Get().SetCoverage(nullptr, 0);
}

std::vector<size_t> SmallestCover(const std::vector<CorpusEntry>& entries) {
  std::vector<size_t> order;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].error.empty() && entries[i].duplicate_of.empty()) order.push_back(i);
  }
  const auto size = [&](size_t i) {
    return std::make_tuple(entries[i].file.program.operation_count, entries[i].file.program.fibers,
                           entries[i].path);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return size(a) < size(b); });
  std::set<std::pair<int, uint32_t>> covered;
  std::vector<size_t> kept;
  for (const size_t i : order) {
    const size_t before = covered.size();
    for (const uint32_t place : entries[i].code) covered.emplace(0, place);
    for (const uint32_t state : entries[i].states) covered.emplace(1, state);
    for (const uint32_t change : entries[i].switches) covered.emplace(2, change);
    if (covered.size() != before) kept.push_back(i);
  }
  return kept;
}

}  // namespace cancelsafe
