// A test driver: owns the queue under test for one run, carries out operations
// on it, and answers its callbacks. One per family. What the runner needs of all
// of them is here.
#ifndef CANCELSAFE_FUZZERS_RUN_FAMILY_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_FAMILY_DRIVER_H_

#include <cstdint>
#include <string>

#include "fuzzers/program/program.h"
#include "fuzzers/run/arena.h"
#include "fuzzers/run/recorder.h"
#include "impl/implementation.h"
#include "oracle/model.h"

namespace cancelsafe {

// Why an operation of a program was left out. Nothing has happened then.
enum class Skip : uint8_t {
  kNot,             // it was carried out
  kItemInUse,       // the item is queued, or another call names it
  kContextInUse,    // another call uses the context, or no insert has filled it in
  kQueueMayBeIdle,  // a removal that wants a busy queue might meet an idle one
  kNothingStarted,  // no packet that the driver could finish
  kAttributesKept,  // attributes stay as they are once a packet was started
  kNotProvided,     // the implementation lacks the routine
  kOtherFamily,     // the family does not have the operation
  kNoIrp,           // the operation that the callback data stands for is not based on an IRP
};
inline constexpr int kSkipCount = 9;

// "the item is in use", for reports.
const char* SkipReason(Skip skip);

class FamilyDriver {
 public:
  virtual ~FamilyDriver() = default;

  // Makes a fresh queue in `arena` for this program. On the main context.
  virtual void Start(const Program& program, Arena* arena, Recorder* recorder) = 0;
  // By which reading its runs are judged. What no document describes it then asks of the
  // built-in implementation alone.
  void UseReading(Reading reading) { reading_ = reading; }
  // To be called before the fibers of a run start.
  void BeginRun() {
    for (bool& called : called_) called = false;
  }
  // What a fiber does next: Execute, with the preemption point between two calls before
  // it. A driver can be preempted there like anywhere else.
  Skip Call(const Operation& operation) {
    if (!Provides(operation.op)) return Skip::kNotProvided;
    bool& called = called_[Machine::fiber()];
    if (called) Machine::Point(kPointCall, nullptr);
    const Skip skip = Execute(operation);
    called = skip == Skip::kNot;
    return skip;
  }

  // The same from inside a callback of the driver, whose operation is under way: no point.
  Skip CallInside(const Operation& operation) {
    return Provides(operation.op) ? Execute(operation) : Skip::kNotProvided;
  }

  // Whether the implementation has the routine behind the operation.
  bool Provides(Op op) const { return (absent_ops_ >> static_cast<int>(op) & 1) == 0; }
  // The others, as bits by Op. Before the first run.
  void SetAbsent(uint64_t ops) { absent_ops_ = ops; }

  // Carries out one operation on the current fiber, unless a caller contract forbids it
  // just now. Its routine is provided.
  virtual Skip Execute(const Operation& operation) = 0;
  // Empties the queue by ordinary calls, on a fiber, after all others have ended.
  virtual void Drain() = 0;
  // Works out, after the run, what of its history could not be known while it was made.
  virtual void Complete(History*) {}
  // Looks for damage that no call can show. Leaves `*verdict` alone if none.
  virtual void Inspect(Verdict* verdict) = 0;
  // What lies at an address, for people: "Cancel of item 0"; "" if that is not known. Cold.
  virtual std::string NameOf(const void*) const { return ""; }

 protected:
  Reading reading_ = Reading::kOwn;

 private:
  bool called_[kMaxFibers] = {};  // the last operation of the fiber was carried out
  uint64_t absent_ops_ = 0;
};

// What a family's folder says of its driver.
struct DriverInfo {
  // The routines without which there is nothing to do, as names; of "A or B" one is enough.
  const char* const* required;
  int required_count;
  // How many preemption points an operation passes on average, and how many more at
  // accesses to memory: what schedulers that plan ahead are told of a program. In eighths.
  int points_per_operation;
  int access_points_per_operation;
  // For an implementation that provides at least these and outlives the driver.
  FamilyDriver* (*make)(const Implementation& implementation);
};

// About how many points a fiber with so many operations passes.
int EstimatePoints(Family family, int operations, bool access_points);

// The driver of a family for an implementation, or null if the implementation lacks a
// required routine (`*missing` names it, or the two of which it needs one).
FamilyDriver* NewFamilyDriver(Family family, const Implementation& implementation,
                              const char** missing);

// The routines that an implementation does not provide. The operations that call them have
// to be left out.
struct AbsentRoutines {
  uint64_t ops = 0;   // bits by Op
  std::string names;  // "KeRemoveByKeyDeviceQueue, KeRemoveEntryDeviceQueue", or ""
};
AbsentRoutines FindAbsentRoutines(Family family, const Implementation& implementation);

// Runs at `irql` while it lives.
class IrqlScope {
 public:
  explicit IrqlScope(KIRQL irql) : raised_(irql > Machine::processor().irql) {
    if (raised_) before_ = KfRaiseIrql(irql);
  }
  ~IrqlScope() {
    if (raised_) KeLowerIrql(before_);
  }
  IrqlScope(const IrqlScope&) = delete;
  IrqlScope& operator=(const IrqlScope&) = delete;

 private:
  bool raised_;
  KIRQL before_ = 0;
};

// What a removal routine returned if it was not an item of the test.
inline constexpr int32_t kForeignPointer = -2;

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_FAMILY_DRIVER_H_
