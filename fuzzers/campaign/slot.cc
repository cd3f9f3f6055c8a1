// See slot.h.
#include "fuzzers/campaign/slot.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cancelsafe {
namespace {

// A run takes microseconds.
constexpr double kHangSeconds = 1;

// A mapped file without room behind it would kill the target on a full disk.
absl::Status MakeStatsFile(const std::string& path) {
  unlink(path.c_str());
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  const int reason = file < 0 ? errno : posix_fallocate(file, 0, sizeof(TargetStats));
  if (file >= 0) close(file);
  if (reason == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot create ", path, ": ", strerror(reason)));
}

}  // namespace

Slot::Slot(const SlotId& id, const CampaignOptions& options, Workspace* workspace)
    : id_(id),
      options_(options),
      workspace_(workspace),
      engine_(options.engine == CampaignEngine::kAfl ? MakeAflRun(id_, options, workspace)
                                                     : MakeLibFuzzerRun(id_, options, workspace)) {}

Slot::~Slot() {
  if (stats_ != nullptr) munmap(stats_, sizeof *stats_);
}

absl::Status Slot::Start(int seconds, double now) {
  const absl::StatusOr<std::string> folder = workspace_->MakeSlotFolder(id_.name());
  if (!folder.ok()) return folder.status();
  const std::string stats_path = *folder + "/stats";
  const absl::Status status = MakeStatsFile(stats_path);
  if (!status.ok()) return status;
  std::string error;
  stats_ = MapStats(stats_path, &error);
  if (stats_ == nullptr) return absl::UnavailableError(error);
  const absl::Status started = StartProcess(seconds);
  if (!started.ok()) return started;
  state_ = SlotState::kRunning;
  started_ = now;
  deadline_ = over_ = now + seconds;
  runs_seen_at_ = now;
  if (engine_->EndsByItself()) deadline_ += options_.overtime_grace_seconds;
  return absl::OkStatus();
}

absl::Status Slot::StartProcess(int seconds) {
  const absl::StatusOr<std::string> made = workspace_->MakeSlotFolder(id_.name());
  if (!made.ok()) return made.status();
  const std::string& folder = *made;
  absl::StatusOr<std::unique_ptr<TargetLog>> log = TargetLog::Create(folder + "/log");
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  const absl::StatusOr<EngineCommand> command = engine_->Prepare(folder, seconds);
  if (!command.ok()) return command.status();
  absl::StatusOr<std::unique_ptr<Process>> process =
      Process::Start(command->arguments, command->environment);
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  return absl::OkStatus();
}

// After the end of a process, when some time is left.
bool Slot::StartAgain(double now) {
  const int seconds = static_cast<int>(over_ - now);
  if (!outcome_.again || stop_ || stopped_by_user_ || seconds < 1) return false;
  ++starts_again_;
  const absl::Status started = StartProcess(seconds);
  if (started.ok()) return true;
  // What is left of its time is not fuzzed.
  outcome_.state = SlotState::kNotRun;
  outcome_.complaint = std::string(started.message());
  return false;
}

// Whether the last run of a target with a guest will not end before its time is over. The
// target then knows what to say of it.
bool Slot::Hangs(double now) {
  const uint64_t runs = stats_->runs.load(std::memory_order_relaxed);
  if (runs != runs_seen_ || stats_->running.load(std::memory_order_relaxed) == 0) {
    runs_seen_ = runs;
    runs_seen_at_ = now;
  }
  return !options_.guest.implementation.empty() && now >= over_ - kHangSeconds &&
         now - runs_seen_at_ >= kHangSeconds;
}

void Slot::Advance(double now) {
  if (state_ != SlotState::kRunning) return;
  // The status first: what the process printed before its end is then all there.
  const std::optional<ExitStatus> exit = process_->Poll();
  std::string text;
  do {
    text.clear();
    process_->ReadOutput(&text);
    log_->Add(text);
  } while (exit && !text.empty());
  if (exit) {
    End(*exit, now);
    return;
  }
  Collect(now, /*ended=*/false);
  const bool hangs = Hangs(now);
  if (stop_ && now - *stop_ >= options_.stop_grace_seconds) {
    process_->Signal(SIGKILL);
  } else if (!stop_ && (hangs || now >= deadline_)) {
    stop_ = now;
    process_->Signal(SIGTERM);
  }
}

void Slot::Stop(double now) {
  if (state_ != SlotState::kRunning || stopped_by_user_) return;
  stopped_by_user_ = true;
  if (stop_) return;
  stop_ = now;
  process_->Signal(SIGTERM);
}

void Slot::Collect(double now, bool ended) {
  engine_->Collect(absl::StrFormat("after %d runs and %.0f s",
                                   stats_->runs.load(std::memory_order_relaxed), now - started_),
                   ended, &findings_);
}

void Slot::End(const ExitStatus& exit, double now) {
  ended_ = now;
  log_->Finish();
  process_.reset();
  Collect(now, /*ended=*/true);
  EngineEnd end;
  end.death.target = id_.target;
  end.death.sanitizer = id_.sanitizer;
  end.death.runs = stats_->runs.load(std::memory_order_relaxed);
  end.death.exit = exit;
  end.death.facts = log_->facts();
  end.death.log_path = log_->path();
  end.stopped_by_user = stopped_by_user_;
  end.stopped_by_time = stop_.has_value() && !stopped_by_user_;
  outcome_ = engine_->Judge(end, &findings_);
  if (StartAgain(now)) return;
  if (starts_again_ > 0 && options_.keep_going) {
    if (!findings_.empty() && outcome_.state == SlotState::kDone) {
      outcome_.state = SlotState::kFound;
    }
  } else if (starts_again_ > 0) {
    outcome_.remark = absl::StrCat("it ended ", starts_again_ + (outcome_.again ? 1 : 0),
                                   " times of what is left out, and was started again");
  }
  state_ = outcome_.state;
}

SlotStatus Slot::Status(double now) const {
  SlotStatus status;
  status.target = id_.target->name;
  status.sanitizer = id_.sanitizer->name;
  status.state = state_;
  if (stats_ != nullptr) {
    status.seconds = (state_ == SlotState::kRunning ? now : ended_) - started_;
    status.runs = stats_->runs.load(std::memory_order_relaxed);
    status.states = stats_->states.load(std::memory_order_relaxed);
    status.operations = stats_->operations.load(std::memory_order_relaxed);
    for (int i = 0; i < kSkipCount; ++i) {
      status.skipped[i] = stats_->skipped[i].load(std::memory_order_relaxed);
    }
    status.left_out = stats_->left_out.load(std::memory_order_relaxed);
    status.unknown = stats_->unknown.load(std::memory_order_relaxed);
    status.ignored = stats_->ignored.load(std::memory_order_relaxed);
    status.unconfirmed = stats_->unconfirmed.load(std::memory_order_relaxed);
  }
  status.corpus = engine_->CorpusSize();
  status.findings = static_cast<int>(findings_.size());
  return status;
}

}  // namespace cancelsafe
