// See search_worlds.h.
#include "fuzzers/worlds/search_worlds.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/process.h"
#include "fuzzers/tools/crew.h"
#include "fuzzers/worlds/worlds.h"

namespace cancelsafe {
namespace {

// One refreshing line. Counts the worlds of the scope meanwhile, a few at a time.
class Progress {
 public:
  explicit Progress(const WorldsPlan& plan) : plan_(plan), worlds_(plan.scope) {}
  ~Progress() {
    if (plan_.progress) fprintf(stderr, "\r%78s\r", "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(int64_t programs, int64_t executions) {
    if (!plan_.progress) return;
    constexpr int kWorldsAtATime = 5000;
    for (int i = 0; i < kWorldsAtATime && !counted_; ++i) counted_ = !worlds_.Next();
    std::string text = absl::StrCat(programs, " programs, ", executions, " executions");
    if (counted_) {
      const double all = static_cast<double>(worlds_.index() + 1 - plan_.from) / plan_.shard.shards;
      const double part = static_cast<double>(programs) / std::max(all, 1.0);
      absl::StrAppendFormat(&text, ", %.0f %% of the programs", 100 * part);
      const double left = part > 0 ? (SecondsNow() - begin_) * (1 - part) / part : 0;
      // Later programs are larger.
      if (part > 0 && part < 1) absl::StrAppendFormat(&text, ", at least %.0f s more", left);
    }
    fprintf(stderr, "\r%-78s", text.c_str());
  }

 private:
  const WorldsPlan& plan_;
  Worlds worlds_;
  bool counted_ = false;
  const double begin_ = SecondsNow();
};

// In one process: the worlds up to the one that is wanted are gone through.
class WorldSearcher {
 public:
  WorldSearcher(const WorldsPlan& plan, const Implementation& implementation,
                const RunnerOptions& options, const CrewMember& member, Tally* tally)
      : member_(member),
        tally_(tally),
        runner_(plan.scope.family, implementation, options, &missing_),
        worlds_(plan.scope) {}

  TaskEnd Search(int64_t world) {
    while (worlds_.index() < world) {
      if (!worlds_.Next()) return member_.NoTaskFrom(worlds_.index() + 1);
    }
    const SearchEnd end =
        SearchWorld(&runner_, worlds_.world(), tally_, [this] { return member_.GivesUp(); });
    member_.Count(tally_->programs, tally_->executions);
    if (end == SearchEnd::kViolation) return TaskEnd::kFound;
    return end == SearchEnd::kStopped ? TaskEnd::kGivenUp : TaskEnd::kDone;
  }

 private:
  const CrewMember& member_;
  Tally* const tally_;
  const char* missing_ = nullptr;  // the caller has seen that nothing is
  Runner runner_;
  Worlds worlds_;
};

}  // namespace

absl::StatusOr<WorldsEnd> SearchWorlds(const WorldsPlan& plan, const Implementation& implementation,
                                       const RunnerOptions& options, const StopSignals& stop) {
  const auto tallies = SharedArray<Tally>(plan.jobs);
  if (tallies == nullptr) return absl::UnavailableError("no memory for the sums of the workers");
  Progress progress(plan);
  const absl::StatusOr<CrewEnd> crew = RunCrew(
      {plan.shard.FirstFrom(plan.from), plan.shard.shards, plan.jobs, plan.seconds},
      [&](CrewMember* member) -> CrewTask {
        const auto searcher =
            std::make_shared<WorldSearcher>(plan, implementation, options, *member,
                                            &tallies[static_cast<size_t>(member->number())]);
        return [searcher](int64_t world) { return searcher->Search(world); };
      },
      [&progress](int64_t programs, int64_t executions) { progress.Show(programs, executions); },
      stop);
  if (!crew.ok()) return crew.status();
  WorldsEnd end;
  end.violation = crew->found;
  VerifyResult& result = end.result;
  result.scope = plan.scope;
  result.shard = plan.shard;
  result.from = plan.from;
  for (int i = 0; i < plan.jobs; ++i) result.tally.Add(tallies[static_cast<size_t>(i)]);
  result.tally.programs += crew->lost;
  result.tally.unfinished += crew->lost;
  result.seconds = crew->seconds;
  result.stopped_by = crew->stopped_by;
  result.all = crew->all;
  result.next = crew->next;
  return end;
}

}  // namespace cancelsafe
