// See search.h.
#include "fuzzers/worlds/search.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/complete_search.h"
#include "fuzzers/schedule/explore.h"

namespace cancelsafe {
namespace {

constexpr int kPreemptions = 2;
// For an implementation that spins outside of any preemption point.
constexpr unsigned kSecondsPerThousand = 20;

uint64_t Mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

// What searching one program gave.
struct Search {
  SearchEnd end = SearchEnd::kPassed;
  bool finished = false;
  int64_t executions = 0;
  int64_t cut = 0;
};

// The next run was made. True if it is a violation.
bool IsViolation(Runner* runner, bool passed, LeftOut* left_out) {
  left_out->Note(runner->output());
  return !passed && !IsUnknown(runner->output());
}

void KeepAlive(int64_t runs) {
  if ((runs & 1023) == 0) alarm(kSecondsPerThousand);
}

Search SearchAll(Runner* runner, const Program& program, const std::function<bool()>& stop,
                 LeftOut* left_out) {
  CompleteSearchOptions options;
  int64_t runs = 0;  // also those that are not shown
  options.stop = [&] {
    KeepAlive(runs++);
    return stop();
  };
  CompleteSearch complete(program, runner, options);
  Search search;
  bool passed = true;
  while (search.end == SearchEnd::kPassed && complete.Next(&passed)) {
    if (complete.begins()) *left_out = LeftOut();
    if (IsViolation(runner, passed, left_out)) search.end = SearchEnd::kViolation;
  }
  if (complete.end() == schedule::ExploreEnd::kStopped) search.end = SearchEnd::kStopped;
  search.finished = complete.complete() || search.end == SearchEnd::kViolation;
  search.executions = complete.runs();
  search.cut = complete.cut_runs();
  return search;
}

// Where accesses go by unseen, so that nothing can be left out.
Search SearchBounded(Runner* runner, const Program& program, const std::function<bool()>& stop,
                     LeftOut* left_out) {
  schedule::RunOptions run_options;
  run_options.record_choices = true;
  run_options.fresh_records = true;
  schedule::ExploreOptions options;
  options.preemptions = kPreemptions;
  // The order in which calls begin and end is shared state that no point announces.
  options.reduce = false;
  schedule::Explorer explorer(options);
  Search search;
  while (search.end == SearchEnd::kPassed && explorer.Next()) {
    KeepAlive(explorer.runs());
    const bool passed = runner->RunWith(&explorer, program, run_options);
    explorer.Finished(runner->output().schedule);
    if (explorer.pruned()) continue;
    if (IsViolation(runner, passed, left_out)) {
      search.end = SearchEnd::kViolation;
    } else if (stop()) {
      search.end = SearchEnd::kStopped;
    }
  }
  search.finished =
      explorer.end() == schedule::ExploreEnd::kComplete || search.end == SearchEnd::kViolation;
  search.executions = explorer.runs();
  return search;
}

}  // namespace

void Tally::Add(const Tally& other) {
  programs += other.programs;
  executions += other.executions;
  cut += other.cut;
  unfinished += other.unfinished;
  left_out.Add(other.left_out);
  digest += other.digest;
}

RunnerOptions SearchOptions(RunnerOptions options) {
  if (!CanSearchCompletely()) return options;
  options.access_points = true;
  if (options.memory == schedule::MemoryModel::kUnnamed) {
    options.memory = schedule::MemoryModel::kSc;
  }
  return options;
}

std::string SearchBound() {
  return CanSearchCompletely() ? "" : absl::StrCat(kPreemptions, " preemptions");
}

SearchEnd SearchWorld(Runner* runner, const World& world, Tally* tally,
                      const std::function<bool()>& stop) {
  Program program;
  ToProgram(world, &program);
  LeftOut left_out;
  const Search search = CanSearchCompletely() ? SearchAll(runner, program, stop, &left_out)
                                              : SearchBounded(runner, program, stop, &left_out);
  alarm(0);
  if (search.end == SearchEnd::kStopped) return search.end;
  tally->left_out.Add(left_out);
  ++tally->programs;
  tally->executions += search.executions;
  tally->cut += search.cut;
  tally->unfinished += search.finished ? 0 : 1;
  // A sum, so that the order of programs and the number of shards do not matter.
  uint64_t hash = Mixed(HashOf(world), static_cast<uint64_t>(search.executions));
  hash = Mixed(hash, static_cast<uint64_t>(search.end) << 1 | (search.finished ? 1u : 0u));
  tally->digest += hash;
  return search.end;
}

}  // namespace cancelsafe
