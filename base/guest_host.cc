// See guest_host.h.
#include "base/guest_host.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

constexpr int kSliceMilliseconds = 20;
constexpr size_t kPageBytes = 4096;
// A tool that is told to stop does so between two runs.
constexpr double kStopSeconds = 1;

}  // namespace

// Counts up by two at each change; odd while a run is under way.
struct GuestHost::Life {
  std::atomic<uint64_t> state{0};
};

std::string HostedEnd::Fault() const {
  switch (kind) {
    case Kind::kExited:
      return absl::StrCat("the implementation ended the process, with exit status ", code);
    case Kind::kSignal:
      return DescribeExit({true, code});
    case Kind::kDoubled:
      return "the run came to its end in two processes: the implementation has started another";
    case Kind::kHung:
      return "the run did not end and was killed";
    case Kind::kAsleep:
      return "the implementation stopped the process by a signal";
    case Kind::kStopped:
      return "";
    case Kind::kTold:
      break;
  }
  if (!changes.empty()) {
    return absl::StrCat("the implementation changed what belongs to its host: ", changes);
  }
  // A process that reports a failure may leave the one behind that names functions.
  if (code == 0 && processes_left != 0) {
    return "the implementation left a process of its own behind";
  }
  return "";
}

GuestHost::GuestHost(bool has_children) : has_children_(has_children) {
  void* const memory =
      mmap(nullptr, sizeof(Life), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("cancelsafe: no memory to watch a child process");
    exit(3);
  }
  life_ = new (memory) Life;
}

GuestHost::~GuestHost() {
  munmap(life_, sizeof(Life));
  if (original_ != nullptr) munmap(original_, kPageBytes);
}

void GuestHost::MarkOriginal() {
  void* const memory =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  original_ = static_cast<char*>(memory);
  *original_ = 1;
  // Before Linux 4.14 copies look like the original, and are noticed at their end.
  (void)madvise(memory, kPageBytes, MADV_WIPEONFORK);
}

void GuestHost::SetState(uint64_t running) {
  if (original_ != nullptr && *original_ == 0) channel_.Append("", 0);
  // One writer: no read-modify-write needed.
  const uint64_t now = life_->state.load(std::memory_order_relaxed);
  life_->state.store(((now | 1) + 1) | running, std::memory_order_relaxed);
}

bool GuestHost::Hangs(double now, double hang_seconds) {
  const uint64_t state = life_->state.load(std::memory_order_relaxed);
  if (state != seen_ || (state & 1) == 0) {
    seen_ = state;
    seen_at_ = now;
  }
  return now - seen_at_ > hang_seconds;
}

HostedEnd GuestHost::Watch(Process* child, double hang_seconds, const StopSignals* stop) {
  HostedEnd end;
  std::optional<double> stop_at;
  std::optional<ExitStatus> exit;
  bool killed = false;
  bool asleep = false;
  seen_at_ = SecondsNow();
  while (!(exit = child->Poll())) {
    pollfd files[] = {{child->end(), POLLIN, 0}, {stop == nullptr ? -1 : stop->file(), POLLIN, 0}};
    poll(files, 2, kSliceMilliseconds);
    const double now = SecondsNow();
    const bool hangs = Hangs(now, hang_seconds);
    if (!stop_at && stop != nullptr && stop->Take()) {
      // One that has been in the same run for so long would not look up.
      stop_at = now + kStopSeconds;
      if (now - seen_at_ > kStopSeconds) stop_at = now;
      if (*stop_at > now) child->Signal(SIGTERM);
    }
    if (killed) continue;
    asleep = child->IsStopped();
    killed = asleep || hangs || (stop_at && now >= *stop_at);
    if (killed) child->Signal(SIGKILL);
  }
  const bool running = (life_->state.load(std::memory_order_relaxed) & 1) != 0;
  end.code = exit->code;
  end.kind = exit->signaled ? HostedEnd::Kind::kSignal : HostedEnd::Kind::kExited;
  std::string text;
  const GuestChannel::State state = channel_.Read(&text);
  if (state == GuestChannel::State::kTwice) end.kind = HostedEnd::Kind::kDoubled;
  const int told = state == GuestChannel::State::kWhole ? static_cast<unsigned char>(text[0]) : 0;
  // A failure that was told stays one, however the process then ends.
  if (state == GuestChannel::State::kWhole && (!exit->signaled || told != 0)) {
    end.kind = HostedEnd::Kind::kTold;
    // A sanitizer may replace the status that was told with its own.
    end.code = exit->signaled || exit->code == 0 ? told : exit->code;
    end.changes = text.substr(1);
  }
  if (killed) end.kind = running ? HostedEnd::Kind::kHung : HostedEnd::Kind::kStopped;
  if (asleep) end.kind = HostedEnd::Kind::kAsleep;
  if (stop_at && !killed) end.kind = HostedEnd::Kind::kStopped;
  return end;
}

std::optional<absl::StatusOr<HostedEnd>> GuestHost::Split(double hang_seconds,
                                                          const StopSignals* stop) {
  AdoptOrphans();
  absl::StatusOr<std::unique_ptr<Process>> child = Process::Split();
  if (!child.ok()) return absl::StatusOr<HostedEnd>(child.status());
  if (*child == nullptr) {
    channel_.Seal();
    MarkOriginal();
    NoteState();
    return std::nullopt;
  }
  HostedEnd end = Watch(child->get(), hang_seconds, stop);
  child->reset();
  end.processes_left = EndOrphans();
  if (has_children_) end.processes_left = 0;
  return absl::StatusOr<HostedEnd>(end);
}

std::string GuestHost::Changes() const {
  const std::string changes = before_->OutputChangesSince();
  if (!changes.empty() || has_children_ || !ProcessState::HasChildren()) return changes;
  return "a process of its own";
}

void GuestHost::Tell(int status) {
  if (told_) return;
  told_ = true;
  const char code = static_cast<char>(status);
  channel_.Append(&code, 1);
  channel_.Finish();
}

void GuestHost::TellChecked(int status) {
  if (told_) return;
  told_ = true;
  const std::string text = absl::StrCat(std::string(1, static_cast<char>(status)), Changes());
  channel_.Append(text.data(), text.size());
  channel_.Finish();
}

}  // namespace cancelsafe
