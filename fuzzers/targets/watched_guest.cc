// See watched_guest.h.
#include "fuzzers/targets/watched_guest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>

#include "base/guest_host.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {
namespace {

constexpr int kSetupError = 3;

// What libFuzzer ends with by itself: a time-out, too much memory, a signal that asked it to
// stop, a leak, an error; then a leak of LeakSanitizer and a race of ThreadSanitizer.
constexpr int kEngineStatuses[] = {70, 71, 72, 76, kEngineErrorStatus, 23, 66};

// More than any engine's input (-max_len).
struct Input {
  size_t size;
  bool running;
  uint8_t bytes[1 << 16];
};

// An implementation that eats memory is stopped while there is some left. The address
// flavour, whose shadow does not fit under such a limit, has one of the engine's.
void LimitMemory() {
#ifdef CANCELSAFE_SANITIZER_NONE
  const rlimit limit = {rlim_t{1} << 30, RLIM_INFINITY};
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

GuestHost* host = nullptr;  // in the child
pid_t host_pid = 0;         // its number
Input* input = nullptr;     // shared

void TellRegularEnd(int status, void*) {
  // What ends the process inside a run is the guest. A probe that loads it has inherited
  // this handler.
  if (!Runner::in_run() && getpid() == host_pid) host->TellChecked(status);
}

Rule RuleFor(const HostedEnd& end) {
  if (end.kind == HostedEnd::Kind::kHung) return Rule::kTimeOut;
  return end.kind == HostedEnd::Kind::kSignal ? Rule::kSignal : Rule::kExit;
}

// Engines and sanitizers end the process in ways of their own, with statuses of their own,
// and have said why. A guest may use any other status.
bool EndedByEngine(const HostedEnd& end) {
  return end.kind == HostedEnd::Kind::kExited &&
         std::find(std::begin(kEngineStatuses), std::end(kEngineStatuses), end.code) !=
             std::end(kEngineStatuses);
}

[[noreturn]] void Judge(const HostedEnd& end, const ReportDeath& report) {
  // UBSan, which handles the signals of a crash where no other sanitizer does, ends with 1.
  int status = end.code == 1 ? kEngineErrorStatus : end.code;
  const std::string fault = end.Fault();
  if (!fault.empty() && !EndedByEngine(end)) {
    report(RuleFor(end), fault.c_str(), input->bytes, std::min(input->size, sizeof input->bytes));
    status = kEngineErrorStatus;
  }
  fflush(nullptr);
  _exit(status);
}

void ShareInput() {
  void* const memory = mmap(nullptr, sizeof(Input), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("cancelsafe: no memory to watch the target");
    exit(kSetupError);
  }
  input = static_cast<Input*>(memory);
}

}  // namespace

void EndRegularly(int status) {
  if (host != nullptr) TellRegularEnd(status, nullptr);
  fflush(nullptr);
  _exit(status);
}

void KeepInputForNext() { ShareInput(); }

bool LeftByProcessBefore(std::string* bytes) {
  if (input == nullptr || !input->running) return false;
  input->running = false;
  bytes->assign(reinterpret_cast<const char*>(input->bytes),
                std::min(input->size, sizeof input->bytes));
  return true;
}

void WatchGuest(double hang_seconds, const ReportDeath& report) {
  ShareInput();
  // libFuzzer starts a symbolizer.
  host = new GuestHost(/*has_children=*/true);
  auto stop = std::make_unique<StopSignals>();
  const std::optional<absl::StatusOr<HostedEnd>> end = host->Split(hang_seconds, stop.get());
  if (!end) {
    stop.reset();
    host_pid = getpid();
    LimitMemory();
    host->NoteState();
    on_exit(&TellRegularEnd, nullptr);
    return;
  }
  if (end->ok()) Judge(**end, report);
  fprintf(stderr, "cancelsafe: %s\n", std::string(end->status().message()).c_str());
  _exit(kSetupError);
}

void NoteEngineReady() {
  if (host != nullptr) host->NoteState();
}

void NoteInput(const uint8_t* data, size_t size) {
  if (input == nullptr) return;
  input->size = std::min(size, sizeof input->bytes);
  memcpy(input->bytes, data, input->size);
}

void NoteReported() {
  if (input != nullptr) input->running = false;
  if (host != nullptr && getpid() == host_pid) host->Tell(kEngineErrorStatus);
}

void EnterGuest() {
  if (input != nullptr) input->running = true;
  if (host != nullptr) host->EnterRun();
}

void LeaveGuest() {
  if (input != nullptr) input->running = false;
  if (host != nullptr) host->LeaveRun();
}

}  // namespace cancelsafe
