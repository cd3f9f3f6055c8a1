// See crew.h. The processes share one page of numbers: the next world to be taken, and
// what each of them has found.
#include "fuzzers/worlds/crew.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <new>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/worlds/worlds.h"

namespace cancelsafe {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr int64_t kNone = INT64_MAX;

struct alignas(64) Worker {
  std::atomic<int64_t> at{-1};  // the world that it searches, -1 for none
  std::atomic<int64_t> programs{0};
  std::atomic<int64_t> executions{0};
  // To be read when the process has ended.
  int64_t finished = -1;  // the last world that it searched to its end
  int64_t given_up = -1;  // the one that it did not
  Tally tally;
};

struct Board {
  std::atomic<int64_t> next{0};            // the first world that was not taken
  std::atomic<bool> stop{false};           // take no more
  std::atomic<bool> give_up{false};        // and do not end what was begun
  std::atomic<int64_t> violation{kNone};   // the smallest world that has one
  std::atomic<int64_t> all_worlds{kNone};  // of the scope, when a worker has come to its end
  Worker workers[kMaxCrewJobs];

  void NoteViolation(int64_t world) {
    stop = true;
    int64_t seen = violation;
    while (world < seen && !violation.compare_exchange_weak(seen, world)) {
    }
  }
};

// In memory that children share.
using SharedBoard = std::unique_ptr<Board, void (*)(Board*)>;
SharedBoard NewBoard() {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return {memory == MAP_FAILED ? nullptr : new (memory) Board,
          [](Board* board) { munmap(board, sizeof(Board)); }};
}

// The board of this worker, for the last moments of a process that its guest takes down.
Board* crash_board = nullptr;
Worker* crash_worker = nullptr;

// What a guest, or a sanitizer, prints here is printed again when the violation is
// reported.
void Mute() {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) return;
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
}

int Work(const CrewPlan& plan, const Implementation& implementation, const RunnerOptions& options,
         Board* board, Worker* worker) {
  Mute();
  crash_board = board;
  crash_worker = worker;
  CatchCrashes([](const Verdict&) { crash_board->NoteViolation(crash_worker->at); });
  const char* missing = nullptr;
  Runner runner(plan.scope.family, implementation, options, &missing);
  if (missing != nullptr) return kExitSetup;
  Worlds worlds(plan.scope);
  while (!board->stop) {
    const int64_t wanted = board->next.fetch_add(plan.shard.shards);
    worker->at = wanted;
    while (worlds.index() < wanted) {
      if (worlds.Next()) continue;
      board->all_worlds = worlds.index() + 1;
      worker->at = -1;
      return 0;
    }
    // Beyond a violation there is nothing to look for.
    const SearchEnd end = SearchWorld(&runner, worlds.world(), &worker->tally,
                                      [=] { return board->give_up || board->violation < wanted; });
    if (end == SearchEnd::kViolation) board->NoteViolation(wanted);
    (end == SearchEnd::kStopped ? worker->given_up : worker->finished) = wanted;
    worker->at = -1;
    worker->programs.store(worker->tally.programs, std::memory_order_relaxed);
    worker->executions.store(worker->tally.executions, std::memory_order_relaxed);
  }
  return 0;
}

// One refreshing line. Counts the worlds of the scope meanwhile, a few at a time.
class Progress {
 public:
  explicit Progress(const CrewPlan& plan) : plan_(plan), worlds_(plan.scope) {}
  ~Progress() {
    if (plan_.progress) fprintf(stderr, "\r%78s\r", "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(const Board& board) {
    if (!plan_.progress) return;
    constexpr int kWorldsAtATime = 5000;
    for (int i = 0; i < kWorldsAtATime && !counted_; ++i) counted_ = !worlds_.Next();
    int64_t programs = 0, executions = 0;
    for (int i = 0; i < plan_.jobs; ++i) {
      programs += board.workers[i].programs.load(std::memory_order_relaxed);
      executions += board.workers[i].executions.load(std::memory_order_relaxed);
    }
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
  const CrewPlan& plan_;
  Worlds worlds_;
  bool counted_ = false;
  const double begin_ = SecondsNow();
};

// Takes in what the worker left behind. False if nothing says why it ended.
bool NoteEnd(const ExitStatus& status, const Worker& worker, Board* board) {
  if (status.clean()) return true;
  const int64_t at = worker.at;
  if (at >= 0) board->NoteViolation(at);
  return at >= 0 || board->violation != kNone;
}

}  // namespace

absl::StatusOr<CrewEnd> RunCrew(const CrewPlan& plan, const Implementation& implementation,
                                const RunnerOptions& options, const StopSignals& stop) {
  const SharedBoard board = NewBoard();
  if (board == nullptr) return absl::UnavailableError("no memory for the numbers of the workers");
  board->next = plan.shard.FirstFrom(plan.from);
  fflush(stdout);
  const double begin = SecondsNow();
  std::vector<std::unique_ptr<Process>> workers;
  for (int i = 0; i < plan.jobs; ++i) {
    absl::StatusOr<std::unique_ptr<Process>> process = Process::Fork(
        [&, i] { return Work(plan, implementation, options, board.get(), &board->workers[i]); });
    if (!process.ok()) return process.status();
    workers.push_back(*std::move(process));
  }
  CrewEnd end;
  std::string* const stopped_by = &end.result.stopped_by;
  std::vector<bool> ended(workers.size());
  Progress progress(plan);
  while (std::count(ended.begin(), ended.end(), false) != 0) {
    pollfd request = {stop.file(), POLLIN, 0};
    poll(&request, 1, kPollMilliseconds);
    progress.Show(*board);
    if (stop.Take()) {
      *stopped_by = "Ctrl-C";
      board->stop = board->give_up = true;
    }
    if (plan.seconds > 0 && SecondsNow() - begin >= plan.seconds && stopped_by->empty()) {
      *stopped_by = absl::StrCat(plan.seconds, " seconds");
      board->stop = board->give_up = true;
    }
    for (size_t i = 0; i < workers.size(); ++i) {
      if (ended[i]) continue;
      const std::optional<ExitStatus> status = workers[i]->Poll();
      if (!status) continue;
      ended[i] = true;
      if (!NoteEnd(*status, board->workers[i], board.get())) {
        return absl::UnavailableError(
            absl::StrCat("a worker ended outside of a program: ", DescribeExit(*status)));
      }
    }
  }
  VerifyResult& result = end.result;
  result.seconds = SecondsNow() - begin;
  if (board->violation != kNone) end.violation = board->violation;
  for (int i = 0; i < plan.jobs; ++i) result.tally.Add(board->workers[i].tally);
  result.scope = plan.scope;
  result.shard = plan.shard;
  result.from = plan.from;
  // All that was taken was searched, or it is beyond the last one, or it was given up:
  // then it is where another part goes on, or, if a later one was searched, missing.
  const int64_t all = board->all_worlds;
  int64_t taken = board->next;
  int64_t last = -1;
  for (int i = 0; i < plan.jobs; ++i) last = std::max(last, board->workers[i].finished);
  for (int i = 0; i < plan.jobs; ++i) {
    const int64_t given_up = board->workers[i].given_up;
    if (given_up > last) taken = std::min(taken, given_up);
    if (given_up < 0 || given_up > last) continue;
    ++result.tally.programs;
    ++result.tally.unfinished;
  }
  result.all = taken >= all;
  result.next = std::min(taken, all);
  if (result.all) stopped_by->clear();
  return end;
}

}  // namespace cancelsafe
