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

namespace cancelsafe {

class FamilyDriver {
 public:
  virtual ~FamilyDriver() = default;

  // Makes a fresh queue in `arena` for this program. On the main context.
  virtual void Start(const Program& program, Arena* arena, Recorder* recorder) = 0;
  // Carries out one operation on the current fiber. False if a caller contract
  // forbids it just now; then nothing has happened.
  virtual bool Execute(const Operation& operation) = 0;
  // Empties the queue by ordinary calls, on a fiber, after all others have ended.
  virtual void Drain() = 0;
  // Looks for damage that no call can show. Leaves `*verdict` alone if none.
  virtual void Inspect(Verdict* verdict) = 0;
};

// The driver of a family for an implementation, or null if the implementation
// lacks a routine without which no queue can be set up and emptied (`*missing` names
// it).
FamilyDriver* NewFamilyDriver(Family family, const Implementation& implementation,
                              const char** missing);

// The other routines that an implementation does not provide. The operations that call
// them have to be left out.
struct AbsentRoutines {
  uint32_t ops = 0;   // bits by Op
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

// What a removal routine returned if it was no item of the test.
inline constexpr int32_t kForeignPointer = -2;

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_FAMILY_DRIVER_H_
