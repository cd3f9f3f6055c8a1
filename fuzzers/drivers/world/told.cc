// See told.h.
#include "fuzzers/drivers/world/told.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "fuzzers/drivers/world/state.h"
#include "fuzzers/schedule/executor.h"

namespace cancelsafe::drivers {

bool telling = false;

namespace {

struct Row {
  const char* name;
  ToldKind kind;
};
constexpr Row kRows[] = {
#define CANCELSAFE_TOLD(kind, name) {#name, ToldKind::kind},
#include "fuzzers/drivers/world/told.def"
#undef CANCELSAFE_TOLD
};

schedule::Executor& executor() { return schedule::Executor::Get(); }

ToldKind present[schedule::kFiberCapacity];
bool sees_driver = true;
char system_state;  // its address is the object

ToldKind& Present() { return present[std::max(executor().current(), 0)]; }

void Tell(ToldKind kind) {
  if (kind == ToldKind::kSystem) executor().Touch(&system_state, true);
  if (kind == ToldKind::kAnything) executor().TouchAll();
}

}  // namespace

void SetTelling(bool tells, bool sees) {
  telling = tells;
  sees_driver = sees;
}

void ResetTold() { std::fill(std::begin(present), std::end(present), ToldKind::kOwn); }

ToldKind ToldKindOf(const char* name) {
  const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                       [name](const Row& r) { return strcmp(r.name, name) == 0; });
  return row == std::end(kRows) ? ToldKind::kAnything : row->kind;
}

void LeaveServices() { Present() = ToldKind::kOwn; }

// Several names may have one door: the worst of them counts.
ToldKind ToldKindOfDoor(const void* door) {
  ToldKind kind = ToldKind::kOwn;
  bool found = false;
  for (const Service* service : AllServices()) {
    if (service->address != door) continue;
    kind = std::max(kind, ToldKindOf(service->name));
    found = true;
  }
  return found ? kind : ToldKind::kAnything;
}

// What a service calls of the driver's, and the services that this calls, is told as the service
// is: it may look at what it does to the system's state before it has come back.
ToldService::ToldService(ToldKind kind) : before_(Present()) {
  Present() = std::max(before_, kind);
  Tell(Present());
}
void TellService(ToldKind kind) { Tell(std::max(Present(), kind)); }
ToldService::~ToldService() { Present() = before_; }

namespace internal {

void SystemNow() { Tell(ToldKind::kSystem); }
void MemoryNow(const volatile void* address, size_t bytes, bool writes) {
  executor().TouchMemory(address, bytes, writes);
}
void LifeNow(const volatile void* address, bool writes) {
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block != nullptr) executor().Touch(block->begin - sizeof(uint64_t), writes);
}
void ObjectNow(const volatile void* object, bool writes, uint8_t parts) {
  executor().Touch(object, writes, parts);
}
void AgainNow() { Tell(sees_driver ? Present() : ToldKind::kAnything); }

}  // namespace internal
}  // namespace cancelsafe::drivers
