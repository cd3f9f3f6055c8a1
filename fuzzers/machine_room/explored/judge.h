// What must be true of the machine room, as small models: who may be inside the cancel
// lock together, what becomes of an IRP and of its cancel, which IRQL a processor has.
// Knows no scheduler, no memory model and no address: an engine calls it from the steps
// of a program, one at a time, and looks at the failure.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_JUDGE_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_JUDGE_H_

#include <array>
#include <string>

#include "impl/kernel/platform.h"

namespace cancelsafe {

inline constexpr int kRoomFibers = 4;
inline constexpr int kRoomIrps = 3;
// As CANCELSAFE_CANCEL_LOCK_SHARES of the build under test.
inline constexpr int kRoomShares = 2;

class RoomJudge {
 public:
  // A rule in words, with the fiber or IRP it is about; "" while all is well. The first
  // failure stays.
  const std::string& failure() const { return failure_; }
  void Fail(const std::string& rule, int fiber);

  // The cancel lock: a holder of the whole is alone; holders of shares are each on a
  // share of their own.
  void EnterCancelLock(int fiber, KiCancelLockForm form);
  void LeaveCancelLock(int fiber);

  // A plain lock: one holder.
  void EnterLock(int lock, int fiber);
  void LeaveLock(int lock);

  // IRPs. An IRP is queued, and then ends once: it is taken by the driver, or by the
  // cancel routine, or completed by its driver without having been queued.
  void Queued(int irp, bool sharing);
  void RoutineCalled(int irp, int fiber, KiCancelLockForm form);
  void Ends(int irp, int fiber);
  // Several processors complete the IRP: one of them ends it, and each other is refused.
  void CompletesWithOthers(int irp, int fiber);
  void CompletedWithOthers(int fiber) { may_be_refused_[fiber] = false; }
  bool MayBeRefused(int fiber) const { return may_be_refused_[fiber]; }
  // IoCancelIrp is about to be called, and has returned. `called` says what it returned.
  void CancelBegins(int irp, int fiber);
  void CancelReturned(int irp, int fiber, bool called);
  // Under the whole lock the routine of a queued IRP was found gone: a driver's has then
  // been called (IRP-CSL-05).
  void FoundRoutineGone(int irp, int fiber);

  // Before a step and after it: level and locks of a processor are what they were.
  void StepEnded(const KiProcessor& processor, KIRQL level, int fiber);

  // At the end of a run, for each IRP: what its memory says.
  struct IrpState {
    bool retired;
    bool intact;  // if retired: no byte was written since
    int completions;
    bool cancel_flag;
    bool routine_set;
  };
  void RunEnded(int irp, const IrpState& state);
  bool ended(int irp) const { return irps_[irp].endings != 0; }

 private:
  struct Irp {
    bool queued = false;
    bool sharing = false;
    bool cancelled = false;
    int routine_calls = 0;
    int called_on = -1;
    int endings = 0;
  };
  std::string failure_;
  std::array<KiCancelLockForm, kRoomFibers> holds_ = {};
  std::array<int, 2> lock_holders_ = {-1, -1};
  std::array<Irp, kRoomIrps> irps_ = {};
  std::array<int, kRoomFibers> calls_before_ = {};
  std::array<bool, kRoomFibers> may_be_refused_ = {};
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_JUDGE_H_
