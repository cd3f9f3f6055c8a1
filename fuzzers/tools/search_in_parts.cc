// See search_in_parts.h.
#include "fuzzers/tools/search_in_parts.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "command/status.h"

namespace cancelsafe {

using schedule::ExploreEnd;
using schedule::SplitExploration;

namespace {

// A part is left after so many runs: some hundredths of a second, against which the start of a
// process counts little. Neither number may depend on that of processes or on time.
constexpr int64_t kRunsAtATime = 500;
constexpr int kPartsAtATime = 64;

}  // namespace

// What a process has to say of one part.
struct SearchInParts::Returned {
  schedule::PartReturn part;
  bool done;  // in this round: what follows is what came of it
  bool bounded;
  bool strayed;
  LeftOut left_out;
};

SearchInParts::SearchInParts(const Program& program, Runner* runner, const PartsOptions& options,
                             const StopSignals& stop)
    : options_(options), stop_(stop), runs_at_a_time_(std::min(options.max_runs, kRunsAtATime)) {
  CompleteSearchOptions search;
  search.stop = [this] { return StopsBefore(); };
  search.pause = [this] { return PausesBefore(); };
  if (options_.jobs == 1) search.max_runs = options_.max_runs;
  search_ = std::make_unique<CompleteSearch>(program, runner, std::move(search));
}

SearchInParts::~SearchInParts() = default;

bool SearchInParts::StopsBefore() {
  const int64_t run = shown_++;
  const bool shows = ExploreProgress::Shows(run);
  if (member_ != nullptr) {
    if (shows) alarm(static_cast<unsigned>(options_.hang_seconds));
    return member_->GivesUp();
  }
  options_.progress->Show(run, shows ? search_->Done() : -1);
  stopped_ |= stop_.Take();
  return stopped_;
}

bool SearchInParts::PausesBefore() const {
  return options_.jobs > 1 && search_->runs() + search_->cut_runs() >= runs_at_a_time_;
}

bool SearchInParts::Next(bool* passed) {
  if (NextOfThisProcess(passed)) return true;
  if (options_.jobs == 1 || stopped_ || again_ || search_->end() != ExploreEnd::kRunning) {
    return false;
  }
  MakeRounds();
  return again_ && NextOfThisProcess(passed);
}

bool SearchInParts::NextOfThisProcess(bool* passed) {
  if (!search_->Next(passed)) return false;
  if (search_->begins()) left_out_ = LeftOut();
  left_out_.Note(search_->runner().output());
  return true;
}

void SearchInParts::MakeRounds() {
  split_ = std::make_unique<SplitExploration>(search_->explorer());
  const auto returned = SharedArray<Returned>(kPartsAtATime);
  if (returned == nullptr) throw SetupError("no memory for what the processes return");
  while (true) {
    const int64_t left = options_.max_runs - split_->runs() - split_->cut_runs();
    if (left <= 0) return;
    std::vector<SplitExploration::Part*> parts =
        split_->Take(static_cast<size_t>(std::min<int64_t>(left, kPartsAtATime)));
    if (parts.empty()) return;
    runs_at_a_time_ = std::min(left / static_cast<int64_t>(parts.size()), kRunsAtATime);
    if (!MakeRound(std::move(parts), returned.get())) return;
  }
}

bool SearchInParts::MakeRound(std::vector<SplitExploration::Part*> parts, Returned* returned) {
  const auto count = static_cast<int64_t>(parts.size());
  for (int64_t i = 0; i < count; ++i) returned[i].done = false;
  CrewPlan plan;
  plan.jobs = static_cast<int>(std::min<int64_t>(options_.jobs, count));
  const absl::StatusOr<CrewEnd> crew = RunCrew(
      plan,
      [&](CrewMember* member) -> CrewTask {
        member_ = member;
        options_.begin();
        return [this, member, count, &parts, returned](int64_t i) {
          if (i >= count) return member->NoTaskFrom(count);
          return Search(parts[static_cast<size_t>(i)], &returned[i]);
        };
      },
      [this](int64_t, int64_t runs) {
        options_.progress->ShowOthers(split_->runs() + runs, split_->Done());
      },
      stop_);
  if (!crew.ok()) throw SetupError(std::string(crew.status().message()));
  if (crew->found >= 0) {
    again_ = true;
    search_->Resume(split_->known(), *parts[static_cast<size_t>(crew->found)]);
    return false;
  }
  // A part that was given up may be the last one of the round: then no other was left to stop.
  stopped_ |= !crew->stopped_by.empty() || crew->lost != 0;
  for (int64_t i = 0; i < std::min(crew->next, count); ++i) {
    if (!returned[i].done) continue;
    left_out_.Add(returned[i].left_out);
    flaws_.bounded |= returned[i].bounded;
    flaws_.strayed |= returned[i].strayed;
    split_->Return(parts[static_cast<size_t>(i)], &returned[i].part);
  }
  if (split_->begins_again()) left_out_ = LeftOut();
  return !stopped_;
}

TaskEnd SearchInParts::Search(SplitExploration::Part* part, Returned* returned) {
  search_->Resume(split_->known(), *part);
  bool passed = true;
  left_out_ = LeftOut();
  while (NextOfThisProcess(&passed)) {
    if (!passed && !IsUnknown(search_->runner().output())) return TaskEnd::kFound;
  }
  if (member_->GivesUp()) return TaskEnd::kGivenUp;
  if (options_.spoilt()) return TaskEnd::kFound;
  schedule::WritePart(search_->explorer(), &returned->part);
  returned->bounded = search_->state().bounded;
  returned->strayed = search_->state().strayed;
  returned->left_out = left_out_;
  returned->done = true;
  member_->Count(0, shown_);
  return TaskEnd::kDone;
}

CompleteState SearchInParts::state() const {
  CompleteState state = search_->state();
  if (split_ == nullptr) return state;
  state.bounded |= flaws_.bounded;
  state.strayed |= flaws_.strayed;
  state.runs = split_->runs();
  state.cut_runs = split_->cut_runs();
  state.end = stopped_ ? ExploreEnd::kStopped : split_->end();
  if (lost_failure()) state.end = ExploreEnd::kNondeterministic;
  if (state.end == ExploreEnd::kRunning) state.end = ExploreEnd::kOutOfRuns;
  return state;
}

}  // namespace cancelsafe
