// For tests of the queues: the implementations they run against, and a driver's
// list with a trace of the callbacks made to it.
#ifndef CANCELSAFE_IMPL_QUEUE_TESTING_H_
#define CANCELSAFE_IMPL_QUEUE_TESTING_H_

#include <gtest/gtest.h>

#include <string>

#include "implementation.h"
#include "kernel/testing.h"

namespace cancelsafe {

// The built-in implementation for "optimized", else the reference shared object.
inline const Implementation& Guest(const std::string& name) {
  if (name == "optimized") return BuiltInImplementation();
  static const Implementation reference = [] {
    Implementation table;
    std::string error;
    EXPECT_TRUE(LoadImplementation(CANCELSAFE_REFERENCE_PATH, &table, &error)) << error;
    return table;
  }();
  return reference;
}

inline auto BothGuests() { return testing::Values("optimized", "reference"); }

// A test that runs once for each implementation.
class GuestTest : public testing::TestWithParam<const char*> {
 protected:
  RecordingPlatform platform_;
  const Implementation& guest_ = Guest(GetParam());
};

// The driver's side of a queue: a first-in first-out list under a spin lock. The
// trace has a letter for each callback, small where the lock was not as it must
// be: held inside, not held in the completion.
struct DriverList {
  DriverList() {
    InitializeListHead(&head);
    KeInitializeSpinLock(&lock);
  }

  bool locked() const { return lock != 0; }
  void Note(char letter, bool as_it_must_be) {
    trace += as_it_must_be ? letter : static_cast<char>(letter + 'a' - 'A');
  }
  void Lock(PKIRQL irql) {
    KeAcquireSpinLock(&lock, irql);
    Note('A', true);
  }
  void Unlock(KIRQL irql) {
    Note('U', locked());
    KeReleaseSpinLock(&lock, irql);
  }
  std::string TakeTrace() {
    std::string taken;
    taken.swap(trace);
    return taken;
  }

  LIST_ENTRY head;
  KSPIN_LOCK lock;
  std::string trace;
  NTSTATUS insert_status = STATUS_SUCCESS;
  PVOID insert_context = nullptr;
  PVOID peek_context = nullptr;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_QUEUE_TESTING_H_
