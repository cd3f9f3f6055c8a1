// See crew.h. The processes share one page of numbers: the next task to be taken, and what
// each of them is at.
#include "fuzzers/tools/crew.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/tools/crash_report.h"

namespace cancelsafe {

namespace {

constexpr int kPollMilliseconds = 100;
constexpr int64_t kNone = INT64_MAX;

struct alignas(64) Worker {
  std::atomic<int64_t> at{-1};  // the task that it carries out, -1 for none
  std::atomic<int64_t> tasks{0};
  std::atomic<int64_t> runs{0};
  // To be read when the process has ended.
  int64_t finished = -1;  // the last task that it brought to its end
  int64_t given_up = -1;  // the one that it did not
};

}  // namespace

struct CrewBoard {
  std::atomic<int64_t> next{0};       // the first task that was not taken
  std::atomic<bool> stop{false};      // take no more
  std::atomic<bool> give_up{false};   // and do not end what was begun
  std::atomic<int64_t> found{kNone};  // the smallest task that has found something
  std::atomic<int64_t> all{kNone};    // the first number that no task has
  Worker workers[kMaxCrewJobs];

  void NoteFound(int64_t task) {
    stop = true;
    int64_t seen = found;
    while (task < seen && !found.compare_exchange_weak(seen, task)) {
    }
  }
};

bool CrewMember::GivesUp() const {
  return board_->give_up || board_->found < board_->workers[number_].at;
}

TaskEnd CrewMember::NoTaskFrom(int64_t number) const {
  board_->all = number;
  return TaskEnd::kNoTask;
}

void CrewMember::Count(int64_t tasks, int64_t runs) const {
  board_->workers[number_].tasks.store(tasks, std::memory_order_relaxed);
  board_->workers[number_].runs.store(runs, std::memory_order_relaxed);
}

namespace {

// The board of this process, for the last moments of one that its guest takes down.
CrewBoard* crash_board = nullptr;
Worker* crash_worker = nullptr;

// What a guest, or a sanitizer, prints here is printed again when the finding is reported.
void Mute() {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) return;
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
}

int Work(const CrewPlan& plan, const std::function<CrewTask(CrewMember*)>& start, CrewBoard* board,
         int number) {
  Worker* const worker = &board->workers[number];
  Mute();
  TellCrashesTo(nullptr);  // it is the parent that has something to tell
  crash_board = board;
  crash_worker = worker;
  CatchCrashes([](const Verdict&) {
    // Between two tasks it has found nothing: the parent says how it ended.
    if (crash_worker->at >= 0) crash_board->NoteFound(crash_worker->at);
  });
  CrewMember member(board, number);
  const CrewTask task = start(&member);
  while (!board->stop) {
    const int64_t wanted = board->next.fetch_add(plan.step);
    worker->at = wanted;
    const TaskEnd end = task(wanted);
    if (end == TaskEnd::kNoTask) break;
    if (end == TaskEnd::kFound) board->NoteFound(wanted);
    (end == TaskEnd::kGivenUp ? worker->given_up : worker->finished) = wanted;
    worker->at = -1;
  }
  worker->at = -1;
  return kExitOk;
}

// Takes in what the worker left behind. False if nothing says why it ended.
bool NoteEnd(const ExitStatus& status, const Worker& worker, CrewBoard* board) {
  if (status.clean()) return true;
  const int64_t at = worker.at;
  if (at >= 0) board->NoteFound(at);
  return at >= 0 || board->found != kNone;
}

// Until a worker has ended or a user wants to stop, but not for long.
void WaitForEnd(const std::vector<std::unique_ptr<Process>>& workers, const StopSignals& stop) {
  std::vector<pollfd> events = {{stop.file(), POLLIN, 0}};
  for (const auto& worker : workers) {
    if (!worker->Poll()) events.push_back({worker->end(), POLLIN, 0});
  }
  poll(events.data(), events.size(), kPollMilliseconds);
}

// All that was taken was brought to its end, or no task has its number, or it was given up:
// then it is where another crew goes on, or, if a later one was finished, lost.
void SumUp(const CrewPlan& plan, const CrewBoard& board, CrewEnd* end) {
  if (board.found != kNone) end->found = board.found;
  int64_t taken = board.next;
  int64_t last = -1;
  for (int i = 0; i < plan.jobs; ++i) last = std::max(last, board.workers[i].finished);
  for (int i = 0; i < plan.jobs; ++i) {
    const int64_t given_up = board.workers[i].given_up;
    if (given_up > last) taken = std::min(taken, given_up);
    if (given_up >= 0 && given_up <= last) ++end->lost;
  }
  end->all = taken >= board.all;
  end->next = std::min<int64_t>(taken, board.all);
  if (end->all) end->stopped_by.clear();
}

}  // namespace

absl::StatusOr<CrewEnd> RunCrew(const CrewPlan& plan,
                                const std::function<CrewTask(CrewMember*)>& start,
                                const std::function<void(int64_t tasks, int64_t runs)>& show,
                                const StopSignals& stop) {
  const auto board = SharedArray<CrewBoard>(1);
  if (board == nullptr) return absl::UnavailableError("no memory for the numbers of the workers");
  board[0].next = plan.first;
  fflush(stdout);
  const double begin = SecondsNow();
  std::vector<std::unique_ptr<Process>> workers;
  for (int i = 0; i < plan.jobs; ++i) {
    absl::StatusOr<std::unique_ptr<Process>> process =
        Process::Fork([&, i] { return Work(plan, start, &board[0], i); });
    if (!process.ok()) return process.status();
    workers.push_back(*std::move(process));
  }
  CrewEnd end;
  const auto end_early = [&](std::string by) {
    end.stopped_by = std::move(by);
    board[0].stop = board[0].give_up = true;
  };
  std::vector<bool> ended(workers.size());
  while (std::count(ended.begin(), ended.end(), false) != 0) {
    WaitForEnd(workers, stop);
    int64_t tasks = 0, runs = 0;
    for (int i = 0; i < plan.jobs; ++i) {
      tasks += board[0].workers[i].tasks.load(std::memory_order_relaxed);
      runs += board[0].workers[i].runs.load(std::memory_order_relaxed);
    }
    show(tasks, runs);
    if (stop.Take()) end_early("Ctrl-C");
    if (plan.seconds > 0 && SecondsNow() - begin >= plan.seconds && end.stopped_by.empty()) {
      end_early(absl::StrCat(plan.seconds, " seconds"));
    }
    for (size_t i = 0; i < workers.size(); ++i) {
      if (ended[i]) continue;
      const std::optional<ExitStatus> status = workers[i]->Poll();
      if (!status) continue;
      ended[i] = true;
      if (!NoteEnd(*status, board[0].workers[i], &board[0])) {
        return absl::UnavailableError(
            absl::StrCat("a worker ended outside of a task: ", DescribeExit(*status)));
      }
    }
  }
  end.seconds = SecondsNow() - begin;
  SumUp(plan, board[0], &end);
  return end;
}

}  // namespace cancelsafe
