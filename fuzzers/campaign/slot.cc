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

namespace cancelsafe {
namespace {

// The exit statuses by which a target says that it cannot work.
constexpr int kTargetUsage = 2;
constexpr int kTargetSetup = 3;

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

Slot::Slot(const CampaignTarget& target, const CampaignSanitizer& sanitizer, int copy,
           const CampaignOptions& options, Workspace* workspace)
    : target_(target),
      sanitizer_(sanitizer),
      copy_(copy),
      options_(options),
      workspace_(workspace) {}

Slot::~Slot() {
  if (stats_ != nullptr) munmap(stats_, sizeof *stats_);
}

std::string Slot::BinaryPath() const {
  return absl::StrCat(options_.build, "/", sanitizer_.flavour, "/fuzzers/targets/", target_.name,
                      "_fuzzer");
}

std::string Slot::Name() const {
  return absl::StrCat(target_.name, "-", sanitizer_.name, "-", copy_);
}

std::vector<std::string> Slot::CommandLine(const std::string& folder, int seconds) const {
  std::vector<std::string> arguments = {
      BinaryPath(),
      // The engine ends in the second after this one; 0 would be no limit.
      absl::StrCat("-max_total_time=", std::max(1, seconds - 1)),
      "-max_len=1200",
      "-timeout=10",
      "-rss_limit_mb=2048",
      "-use_value_profile=0",
      // Weighing thousands of features after every run costs more than it finds here,
      // and an input shorter than the header is no program.
      "-entropic=0",
      "-len_control=0",
      "-print_final_stats=0",
      // With the process in the name, what an earlier campaign left is not overwritten.
      absl::StrCat("-artifact_prefix=", folder, "/", getpid(), "-"),
      absl::StrCat("--artifacts=", options_.findings),
      absl::StrCat("--stats=", folder, "/stats"),
  };
  if (options_.all_points) arguments.push_back("--points=all");
  if (options_.strict) arguments.push_back("--strict");
  for (const std::string& rule : options_.ignore) {
    arguments.push_back(absl::StrCat("--ignore=", rule));
  }
  if (!options_.implementation.empty()) {
    arguments.push_back(absl::StrCat("--implementation=", options_.implementation));
  }
  arguments.push_back(workspace_->CorpusFolder(target_));
  return arguments;
}

absl::Status Slot::Start(int seconds, double now) {
  const absl::StatusOr<std::string> folder = workspace_->MakeSlotFolder(Name());
  if (!folder.ok()) return folder.status();
  const std::string stats_path = *folder + "/stats";
  const absl::Status status = MakeStatsFile(stats_path);
  if (!status.ok()) return status;
  std::string error;
  stats_ = MapStats(stats_path, &error);
  if (stats_ == nullptr) return absl::UnavailableError(error);
  absl::StatusOr<std::unique_ptr<TargetLog>> log = TargetLog::Create(*folder + "/log");
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(CommandLine(*folder, seconds));
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  state_ = SlotState::kRunning;
  started_ = now;
  deadline_ = now + seconds + options_.overtime_grace_seconds;
  return absl::OkStatus();
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
  } else if (stop_ && now - *stop_ >= options_.stop_grace_seconds) {
    process_->Signal(SIGKILL);
  } else if (!stop_ && now >= deadline_) {
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

void Slot::End(const ExitStatus& exit, double now) {
  ended_ = now;
  log_->Finish();
  const LogFacts& facts = log_->facts();
  process_.reset();
  const bool overtime = stop_.has_value() && !stopped_by_user_;
  const bool died = !facts.artifact.empty() || !facts.verdict_line.empty();
  if (!died && exit.clean() && facts.done) {
    state_ = SlotState::kDone;
  } else if (!died && stopped_by_user_) {
    state_ = SlotState::kStopped;
  } else if (!died && !exit.signaled && !facts.complaint.empty() &&
             (exit.code == kTargetUsage || exit.code == kTargetSetup)) {
    state_ = SlotState::kNotRun;
    complaint_ = facts.complaint;
  } else {
    state_ = SlotState::kFound;
    TargetDeath death;
    death.target = &target_;
    death.sanitizer = &sanitizer_;
    death.runs = stats_->runs.load(std::memory_order_relaxed);
    death.overtime = overtime;
    death.exit = exit;
    death.facts = facts;
    death.log_path = log_->path();
    finding_ = FindingOf(death, options_);
  }
}

SlotStatus Slot::Status(double now) const {
  SlotStatus status;
  status.target = target_.name;
  status.sanitizer = sanitizer_.name;
  status.state = state_;
  if (stats_ != nullptr) {
    status.seconds = (state_ == SlotState::kRunning ? now : ended_) - started_;
    status.runs = stats_->runs.load(std::memory_order_relaxed);
    status.states = stats_->states.load(std::memory_order_relaxed);
  }
  status.corpus = workspace_->CorpusSize(target_);
  status.findings = finding_.has_value() ? 1 : 0;
  return status;
}

}  // namespace cancelsafe
