// See run.h. The hooks at the end are what the compiler calls in the room.
#include "fuzzers/machine_room/explored/run.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/schedule/fiber.h"

namespace cancelsafe {
namespace {

using schedule::Executor;
using schedule::RunStatus;

constexpr int kPointBudget = 5000;
const MachineRoom* loaded_room = nullptr;
RoomWorld* running = nullptr;

int Fiber() { return Executor::Get().running() ? Executor::Get().current() : 0; }

void StopIfFailed() {
  if (Executor::Get().running() && !running->judge().failure().empty()) Executor::Get().Stop();
}

void Point(KiPoint kind, const volatile void* object) {
  StopIfFailed();
  Executor::Get().Point(static_cast<uint8_t>(kind + 1), object, 0);
}

KiProcessor* Processor() { return &running->processor(Fiber()); }
void Block(const volatile void* object) { Executor::Get().Block(object, 0); }
void Wake(const volatile void* object) {
  if (Executor::Get().running()) Executor::Get().Wake(object);
}
void Violation(const KiViolation* violation) {
  if (violation->kind == kDoubleCompletion || violation->kind == kUseAfterCompletion) {
    if (running->judge().MayBeRefused(Fiber())) return;
  }
  running->judge().Fail(
      std::string(loaded_room->KiViolationName(violation->kind)) + " in " + violation->routine,
      Fiber());
  StopIfFailed();
}

const KiPlatform platform = {&Processor, &Point, &Block, &Wake, &Violation};

// Only constant, and read between a failed attempt and the wait that follows, which
// therefore are one step, as are a release and its wake-up.
bool IsPlatform(const volatile void* address) {
  return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(&platform) <
         sizeof(platform);
}

void Body(void* context, int fiber) { static_cast<RoomWorld*>(context)->RunFiber(fiber); }

// Before a load or store of the room, or a read-modify-write (atomic_points.h).
void Access(const volatile void* address) {
  if (running == nullptr || !Executor::Get().running() || running->IsPrivate(address)) return;
  if (IsPlatform(address)) return;
  if (schedule::OnOneStack(address, __builtin_frame_address(0))) return;
  if (running->IsBehindAnIrp(address)) {
    running->judge().Fail("the room reaches behind an IRP", Fiber());
  }
  Point(kPointAccess, address);
}

}  // namespace

RoomRunner::RoomRunner(const MachineRoom& room) : world_(room, {&Fiber, &Point}) {
  static MachineRoom kept;
  kept = room;
  loaded_room = &kept;
  running = &world_;
  room.KiSetPlatform(&platform);
}

std::string RoomRunner::Verdict(const schedule::RunResult& result) {
  if (world_.judge().failure().empty()) {
    if (result.status == RunStatus::kDeadlock) return "deadlock";
    if (result.status == RunStatus::kLivelock) return "livelock";
    if (result.status == RunStatus::kDone) world_.Finish();
  }
  return world_.judge().failure();
}

std::string RoomRunner::Run(const RoomProgram& program, const schedule::Schedule& schedule) {
  schedule::RunOptions options;
  options.point_budget = kPointBudget;
  schedule::RunResult result;
  world_.Reset(program);
  Executor::Get().Run(static_cast<int>(program.fibers.size()), &Body, &world_, schedule, options,
                      &result);
  digest_ = result.digest;
  return Verdict(result);
}

RoomRunner::Explored RoomRunner::Explore(const RoomProgram& program, int preemptions,
                                         int64_t max_runs) {
  schedule::ExploreOptions explore;
  explore.preemptions = preemptions;
  explore.max_runs = max_runs;
  schedule::Explorer explorer(explore);
  schedule::RunOptions options;
  options.point_budget = kPointBudget;
  Explored explored;
  while (explorer.Next()) {
    schedule::RunResult result;
    world_.Reset(program);
    Executor::Get().RunWith(&explorer, static_cast<int>(program.fibers.size()), &Body, &world_,
                            schedule::Schedule(), options, &result);
    explorer.Finished(result);
    if (explorer.pruned()) continue;
    explored.failure = Verdict(result);
    if (!explored.failure.empty()) explorer.Stop();
  }
  explored.runs = explorer.runs();
  explored.complete = explorer.end() == schedule::ExploreEnd::kComplete;
  return explored;
}

RoomRunner& RunnerOf(const std::string& path) {
  MachineRoom room;
  std::string error;
  if (!LoadMachineRoom(path, &room, &error)) {
    fprintf(stderr, "%s\n", error.c_str());
    exit(3);
  }
  static RoomRunner runner(room);
  return runner;
}

RoomInput RandomRoomInput(Random* random) {
  uint8_t bytes[48];
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random->Next());
  RoomInput input;
  input.program = RoomProgramOf(bytes, sizeof(bytes));
  input.schedule.kind = static_cast<schedule::Kind>(random->Below(schedule::kKindCount));
  input.schedule.parameter = static_cast<uint8_t>(random->Next());
  input.schedule.seed = static_cast<uint32_t>(random->Next());
  return input;
}

}  // namespace cancelsafe

// The room finds these in the program that loads it.
#pragma GCC visibility push(default)
extern "C" {
void CancelsafeAtomicPoint(const volatile void* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load1(uint8_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load2(uint16_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load4(uint32_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load8(uint64_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_load16(__int128* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store1(uint8_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store2(uint16_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store4(uint32_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store8(uint64_t* address) { cancelsafe::Access(address); }
void __sanitizer_cov_store16(__int128* address) { cancelsafe::Access(address); }
}
#pragma GCC visibility pop
