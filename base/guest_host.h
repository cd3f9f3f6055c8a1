// A tool that goes on in a child process while it runs a guest, and is watched by its
// parent: for tools that keep a guest in their own process for long (replay, search, fuzz
// target), where guest_child.h is for a short, silent look at one. The child keeps the
// streams, files and privileges of the tool. A guest that ends, stops, replaces or doubles
// the process, or hangs with all signals blocked, is seen by the parent, which outlives it.
#ifndef CANCELSAFE_BASE_GUEST_HOST_H_
#define CANCELSAFE_BASE_GUEST_HOST_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/guest_channel.h"
#include "base/process.h"
#include "base/process_state.h"
#include "base/signals.h"

namespace cancelsafe {

// How a child ended.
struct HostedEnd {
  enum class Kind : uint8_t {
    kTold,     // it said so itself: code is the tool's exit status
    kExited,   // without a word; code: exit status
    kSignal,   // code: signal
    kDoubled,  // two processes said so
    kHung,     // killed: no sign of life for as long as was allowed
    kAsleep,   // killed: a signal had stopped it
    kStopped,  // ended, since a user wanted that
  };
  Kind kind = Kind::kExited;
  int code = 0;
  std::string changes;     // kTold: what decides where output goes, and was changed
  int processes_left = 0;  // that it had started, and that were killed after it

  // What the guest did to its process, as a sentence without an end: "" if nothing. A
  // process that exits without a word has done so by the guest's will.
  std::string Fault() const;
};

class GuestHost {
 public:
  // `has_children`: the tool itself, or its engine, may have started processes that still
  // run at its end; otherwise these are the guest's.
  explicit GuestHost(bool has_children = false);
  ~GuestHost();
  GuestHost(const GuestHost&) = delete;
  GuestHost& operator=(const GuestHost&) = delete;

  // Two returns: in the child nothing, at once; in the parent the child's end. The child
  // is killed when it has been in a run for `hang_seconds` without a sign of life. When
  // `stop` (may be null) has a request it gets SIGTERM, and, a second later, is killed.
  std::optional<absl::StatusOr<HostedEnd>> Split(double hang_seconds, const StopSignals* stop);

  // In the child. A run of the guest begins or ends; both are signs of life. In a copy of
  // the child, which the guest has made, they do not return.
  void EnterRun() { SetState(1); }
  void LeaveRun() { SetState(0); }

  // In the child: what the guest has changed since NoteState of that which decides what
  // becomes of the output; to be asked before a success is told. "" if nothing.
  std::string Changes() const;

  // In the child: all has been said that the exit status stands for, and it is about to
  // end the process. Async-signal-safe; the first call counts.
  void Tell(int status);
  // Likewise at a regular end: with Changes.
  void TellChecked(int status);
  // The process is now as it should be.
  void NoteState() { before_ = std::make_unique<ProcessState>(); }

 private:
  struct Life;
  void SetState(uint64_t running);
  void MarkOriginal();
  bool Hangs(double now, double hang_seconds);
  HostedEnd Watch(Process* child, double hang_seconds, const StopSignals* stop);

  const bool has_children_;
  GuestChannel channel_;
  std::unique_ptr<ProcessState> before_;
  Life* life_;                // shared
  char* original_ = nullptr;  // reads 0 in a copy of the child
  bool told_ = false;
  uint64_t seen_ = 0;
  double seen_at_ = 0;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_GUEST_HOST_H_
