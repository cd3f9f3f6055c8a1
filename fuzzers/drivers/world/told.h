// What a search of all schedules has to know of the system around a driver: which shared state
// the fiber that runs now accesses since its last preemption point. The driver's own accesses
// and those of the queues are told where they are made (access.h, the memory engine); this room
// tells the rest. Nothing happens in other runs.
//
// A service tells by its kind (told.def), from its call to its return. Beside that, by itself:
//   - memory that drivers access too, word by word;
//   - the life of an object in pool: all that use its memory read it, what ends it (a free, a
//     completion) writes it. It stands for all words of the object, and is the word before it,
//     which nothing accesses.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_TOLD_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_TOLD_H_

#include <cstddef>
#include <cstdint>

namespace cancelsafe::drivers {

enum class ToldKind : uint8_t { kOwn, kSystem, kAnything };

// Whether the present run is one of such a search.
extern bool telling;

// On the main context, for the next runs. `sees_driver`: the accesses of the driver's code are
// told; otherwise each step may do anything.
void SetTelling(bool tells, bool sees_driver);
// At the beginning of a run.
void ResetTold();
// The fiber is in no service: it begins something new.
void LeaveServices();

// The kind of the service behind a door, `name` as drivers import it. O(kinds).
ToldKind ToldKindOf(const char* name);
ToldKind ToldKindOfDoor(const void* door);

// A service of this kind is called that an exception may leave: it passes no point, and what it
// accesses is told now.
void TellService(ToldKind kind);

// While a service runs on this fiber. Fibers that are abandoned do not leave it.
class ToldService {
 public:
  explicit ToldService(ToldKind kind);
  ~ToldService();
  ToldService(const ToldService&) = delete;
  ToldService& operator=(const ToldService&) = delete;

 private:
  const ToldKind before_;
};

namespace internal {
void SystemNow();
void MemoryNow(const volatile void* address, size_t bytes, bool writes);
void LifeNow(const volatile void* address, bool writes);
void ObjectNow(const volatile void* object, bool writes, uint8_t parts);
void AgainNow();
}  // namespace internal

// The system's own state is accessed: queues of DPCs, timers, waiters, threads, handles, devices.
inline void TellSystem() {
  if (__builtin_expect(telling, 0)) internal::SystemNow();
}
inline void TellMemory(const volatile void* address, size_t bytes, bool writes) {
  if (__builtin_expect(telling, 0)) internal::MemoryNow(address, bytes, writes);
}
// The object of the pool that holds the address, if there is one, is used, or ends.
inline void TellLife(const volatile void* address, bool writes) {
  if (__builtin_expect(telling, 0)) internal::LifeNow(address, writes);
}
// State of the harness that one address stands for, or some of its eight parts.
inline void TellObject(const volatile void* object, bool writes, uint8_t parts = 0xff) {
  if (__builtin_expect(telling, 0)) internal::ObjectNow(object, writes, parts);
}
// The fiber has passed a point, or waited: what the service in which it is does goes on.
inline void TellAgain() {
  if (__builtin_expect(telling, 0)) internal::AgainNow();
}

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_TOLD_H_
