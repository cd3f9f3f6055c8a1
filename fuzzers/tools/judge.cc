// See judge.h. Parent and child share one page of plain values and two pipes of
// one-byte messages.
#include "fuzzers/tools/judge.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/process.h"
#include "base/signals.h"
#include "command/status.h"
#include "fuzzers/run/fault_site.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/stale_choices.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// A run takes microseconds. The first one that never ends gets the time that a
// loaded machine may need; when runs are known to hang, less has to do.
constexpr int kPatienceMs = 4000;
constexpr int kImpatienceMs = 400;

constexpr int64_t kExploredRuns = 160;
constexpr int64_t kExploredRunsAtTheEnd = 20000;
// With one stale choice each, on average.
constexpr int64_t kStaleRunsPerSchedule = 4;
constexpr int kRandomRuns = 96;
constexpr int kRandomRunsAtTheEnd = 4000;

constexpr char kRunOnce = 'r';
constexpr char kSearch = 's';
constexpr char kExploreBound = 'e';

void Copy(const std::string& text, char* out, size_t size) {
  snprintf(out, size, "%s", text.c_str());
}

FailureIdentity IdentityOf(const Verdict& verdict) {
  FailureIdentity identity;
  // A history that could not be judged within the budget is not a failure.
  if (verdict.ok() || verdict.kind == VerdictKind::kUnknown) return identity;
  identity.kind = verdict.kind;
  Copy(verdict.clause, identity.clause, sizeof identity.clause);
  Copy(verdict.rule, identity.rule, sizeof identity.rule);
  if (verdict.kind == VerdictKind::kDataRace) {
    Copy(verdict.reason, identity.where, sizeof identity.where);
  }
  return identity;
}

}  // namespace

bool FailureIdentity::SameAs(const FailureIdentity& other) const {
  if (const Alike least = std::max(alike, other.alike); least != Alike::kClause) {
    if (operation < 0 || other.operation < 0) return false;
    return operation == other.operation || least == Alike::kNoOrder;
  }
  if (kind != other.kind || strcmp(clause, other.clause) != 0) return false;
  if (clause[0] == '\0' && strcmp(rule, other.rule) != 0) return false;
  return strcmp(where, other.where) == 0;
}

struct Judge::Shared {
  Program program;
  FailureIdentity wanted;
  int preemptions = 0;
  int next_random = 0;  // where the search at random goes on after a child died
  int random_runs = 0;
  int choices_below = INT_MAX;
  int stale_max = schedule::kMaxStaleChoices;
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;
  bool explored = false;
  FailureIdentity found;         // of the last run
  schedule::Schedule executed;   // likewise
  int executed_preemptions = 0;  // likewise
  char line[1024] = "";          // likewise; empty if the child died of it
};

Judge* Judge::active_ = nullptr;

Judge::Judge(Runner* runner) : runner_(runner) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("cancelsafe: mmap");
    exit(kExitSetup);
  }
  shared_ = new (memory) Shared;
}

Judge::~Judge() {
  StopChild();
  munmap(shared_, sizeof(Shared));
}

void Judge::StartChild() {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) {
    perror("cancelsafe: pipe");
    exit(kExitSetup);
  }
  absl::StatusOr<std::unique_ptr<Process>> child = Process::Fork([&] {
    close(down[1]);
    close(up[0]);
    to_child_ = down[0];
    from_child_ = up[1];
    return Serve();
  });
  if (!child.ok()) {
    fprintf(stderr, "cancelsafe: %s\n", std::string(child.status().message()).c_str());
    exit(kExitSetup);
  }
  child_ = *std::move(child);
  ++children_;
  close(down[0]);
  close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
}

void Judge::StopChild() {
  if (child_ == nullptr) return;
  close(to_child_);
  close(from_child_);
  child_.reset();
}

Judge::Answer Judge::Ask(char command) {
  if (child_per_run_) StopChild();
  if (child_ == nullptr) StartChild();
  died_ = true;
  shared_->found = FailureIdentity();
  shared_->executed = schedule::Schedule();
  shared_->line[0] = '\0';
  // A child that died between two questions is a broken pipe, which says enough.
  signal(SIGPIPE, SIG_IGN);
  char answer = 0;
  bool hung = false;
  if (write(to_child_, &command, 1) == 1) {
    pollfd waiting = {from_child_, POLLIN, 0};
    // A search is many runs.
    const int patience = (slow_ ? kImpatienceMs : kPatienceMs) * (command == kRunOnce ? 1 : 5);
    hung = poll(&waiting, 1, patience) == 0;
    if (!hung && read(from_child_, &answer, 1) == 1) {
      died_ = false;
      return answer == 'y' ? Answer::kYes : Answer::kNo;
    }
  }
  if (hung) {
    slow_ = true;
    child_->Signal(SIGKILL);
  }
  close(to_child_);
  close(from_child_);
  const ExitStatus exit =
      WaitFor(child_.get(), kPatienceMs / 1000.0, [](absl::string_view) {}).status;
  child_.reset();
  if (shared_->found.failed()) return Answer::kDied;
  const Family family = shared_->program.setup.family;
  const Verdict verdict = hung ? MakeVerdict(Rule::kTimeOut, family)
                          : exit.signaled
                              ? MakeVerdict(Rule::kSignal, family, SignalWord(exit.code))
                              : MakeVerdict(Rule::kExit, family);
  shared_->found = IdentityOf(verdict);
  return Answer::kDied;
}

FailureIdentity Judge::Run(const Program& program, schedule::Schedule* executed) {
  shared_->program = program;
  Ask(kRunOnce);
  if (executed != nullptr) *executed = shared_->executed;
  return shared_->found;
}

int Judge::preemptions() const { return shared_->executed_preemptions; }

Verdict Judge::verdict() const {
  Verdict verdict;
  if (ParseVerdictLine(shared_->line, &verdict)) return verdict;
  verdict.kind = shared_->found.kind;
  verdict.rule = shared_->found.rule;
  verdict.reason = verdict.ok() ? "" : "the process did not survive it";
  return verdict;
}

void Judge::Allow(const schedule::Schedule& schedule) {
  shared_->stale_max = schedule.stale_count;
  shared_->memory = schedule.memory;
}

schedule::Schedule Judge::EmptySchedule() const {
  schedule::Schedule schedule;
  schedule.memory = shared_->memory;
  return schedule;
}

bool Judge::Search(const FailureIdentity& wanted, bool exploring, int runs, int choices_below,
                   Program* program) {
  shared_->program = *program;
  shared_->program.schedule = EmptySchedule();
  shared_->wanted = wanted;
  shared_->next_random = 0;
  shared_->random_runs = runs;
  shared_->choices_below = choices_below;
  shared_->explored = !exploring;
  for (;;) {
    const Answer answer = Ask(kSearch);
    if (answer == Answer::kNo) return false;
    if (answer == Answer::kYes || IsWanted()) {
      program->schedule = shared_->executed;
      return true;
    }
    // The child died of something else: the next one goes on behind it.
  }
}

bool Judge::IsWanted() const {
  return shared_->found.SameAs(shared_->wanted) &&
         shared_->executed.choice_count < shared_->choices_below &&
         shared_->executed.stale_count <= shared_->stale_max;
}

bool Judge::Reschedule(const FailureIdentity& wanted, Program* program) {
  return Search(wanted, true, kRandomRuns, INT_MAX, program);
}

bool Judge::FewerChoices(const FailureIdentity& wanted, Program* program) {
  return Search(wanted, false, kRandomRunsAtTheEnd, program->schedule.choice_count, program);
}

bool Judge::FewerPreemptions(const FailureIdentity& wanted, int preemptions, Program* program) {
  shared_->program = *program;
  shared_->program.schedule = EmptySchedule();
  shared_->wanted = wanted;
  shared_->preemptions = preemptions;
  shared_->choices_below = INT_MAX;
  const Answer answer = Ask(kExploreBound);
  if (answer == Answer::kNo || !shared_->found.SameAs(wanted)) return false;
  program->schedule = shared_->executed;
  return true;
}

// ---- in the child ----

void Judge::NoteDeath(VerdictKind kind, const char* rule) {
  Shared& shared = *active_->shared_;
  shared.found = FailureIdentity();
  shared.found.kind = kind;
  snprintf(shared.found.rule, sizeof shared.found.rule, "%s", rule);
  // A crash elsewhere is another one. Looking up its name would take longer than the run.
  if (const uintptr_t place = FaultOffset(); place != 0) {
    snprintf(shared.found.where, sizeof shared.found.where, "at 0x%lx ",
             static_cast<unsigned long>(place));
  }
  shared.executed = active_->runner_->output().schedule.executed;
  shared.executed_preemptions = active_->runner_->output().schedule.preemptions;
  active_->NotePlace();
}

void Judge::NotePlace() {
  if (place_ == nullptr) return;
  FailureIdentity& found = shared_->found;
  Copy(found.where + place_(*runner_), found.where, sizeof found.where);
}

void Judge::OnSanitizer(VerdictKind kind, const char* description) {
  NoteDeath(kind, description);
  _exit(1);  // the report itself would only cost time
}

void Judge::OnSignal(int number) {
  NoteDeath(VerdictKind::kCrash, SignalWord(number).c_str());
  _exit(1);
}

int Judge::Serve() {
  active_ = this;
  SilenceCrashReports();
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDERR_FILENO);
  SetFaultHook(&OnSanitizer);
  CatchDeadlySignals(&OnSignal);
  char command = 0;
  while (read(to_child_, &command, 1) == 1) {
    bool yes = false;
    if (command == kRunOnce) {
      RunInChild(nullptr);
      yes = shared_->found.failed();
    } else if (command == kExploreBound) {
      yes = Explore(shared_->preemptions, kExploredRunsAtTheEnd);
    } else {
      yes = SearchAtRandom(shared_->random_runs);
    }
    const char answer = yes ? 'y' : 'n';
    if (write(from_child_, &answer, 1) != 1) break;
  }
  return 0;
}

void Judge::RunInChild(schedule::Scheduler* scheduler) {
  schedule::RunOptions options;
  options.fresh_records = true;
  options.record_choices = true;
  if (scheduler == nullptr) {
    runner_->Run(shared_->program, options);
  } else {
    runner_->RunWith(scheduler, shared_->program, options);
  }
  const Verdict& verdict = runner_->output().verdict;
  shared_->found = IdentityOf(verdict);
  shared_->found.item = verdict.item;
  if (verdict.call >= 0) {
    const Call& call = runner_->history().calls[verdict.call];
    const OperationInfo& info = InfoOf(call.operation.op);
    if (verdict.kind == VerdictKind::kNotLinearizable ||
        verdict.kind == VerdictKind::kCallbackOrder) {
      shared_->found.operation = static_cast<int>(call.operation.op);
    }
    if (info.fields.item != 0) {
      shared_->found.item = call.operation.item;
    } else if (info.outcome == OutcomeKind::kItem) {
      shared_->found.item = call.outcome.value;
    }
  }
  if (shared_->found.failed()) NotePlace();
  if (!verdict.ok()) Copy(VerdictLine(verdict), shared_->line, sizeof shared_->line);
  shared_->executed = runner_->output().schedule.executed;
  shared_->executed_preemptions = runner_->output().schedule.preemptions;
}

bool Judge::Explore(int preemptions, int64_t runs_max) {
  schedule::ExploreOptions options;
  options.preemptions = preemptions;
  options.reduce = false;
  options.max_runs = runs_max;
  options.max_points = 4096;
  int64_t stale_runs_left = runs_max * kStaleRunsPerSchedule;
  schedule::Explorer explorer(options);
  while (explorer.Next()) {
    shared_->program.schedule = EmptySchedule();
    RunInChild(&explorer);
    explorer.Finished(runner_->output().schedule);
    if (shared_->found.SameAs(shared_->wanted)) return true;
    if (shared_->stale_max > 0 && ExploreStaleChoices(&stale_runs_left)) return true;
  }
  return false;
}

bool Judge::ExploreStaleChoices(int64_t* runs_left) {
  bool found = false;
  ForEachStaleChoice(*runner_, &shared_->program, [&] {
    if ((*runs_left)-- <= 0) return false;
    RunInChild(nullptr);
    found = IsWanted();
    return !found;
  });
  return found;
}

bool Judge::SearchAtRandom(int runs) {
  if (!shared_->explored) {
    shared_->explored = true;
    if (Explore(1, kExploredRuns)) return true;
  }
  static constexpr schedule::Kind kKinds[] = {schedule::Kind::kPct, schedule::Kind::kPos,
                                              schedule::Kind::kSticky, schedule::Kind::kRandom};
  while (shared_->next_random < runs) {
    const int number = shared_->next_random++;
    schedule::Schedule& schedule = shared_->program.schedule;
    schedule = EmptySchedule();
    schedule.kind = kKinds[number & 3];
    schedule.seed = static_cast<uint32_t>(number);
    schedule.parameter = static_cast<uint8_t>(number * 37);
    RunInChild(nullptr);
    if (IsWanted()) return true;
  }
  return false;
}

}  // namespace cancelsafe
