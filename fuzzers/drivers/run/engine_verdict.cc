// See engine_verdict.h.
#include "fuzzers/drivers/run/engine_verdict.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/rules/driver_rules.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/run/race.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

struct StateText {
  DriverRule read;
  DriverRule write;
  const char* is;
};

StateText TextOf(memory::State state) {
  switch (state) {
    case memory::State::kCompleted:
      return {DriverRule::kUsedAfterCompletion, DriverRule::kUsedAfterCompletion,
              "belongs to an IRP that was completed"};
    case memory::State::kFreed:
      return {DriverRule::kUsedAfterFree, DriverRule::kUsedAfterFree, "was freed"};
    case memory::State::kCanary:
    case memory::State::kUnallocated:
    case memory::State::kLive:
      break;
  }
  return {DriverRule::kOutOfBounds, DriverRule::kDamagedMemory, "was never allocated"};
}

// The driver's routines among the frames; services have none of interest.
std::string DescribeDriverStack(const memory::CallStack& stack) {
  std::string text;
  for (const uintptr_t frame : stack.frame) {
    if (frame - kKiWindowsZone >= kKiWindowsZoneBytes) continue;
    absl::StrAppend(&text, text.empty() ? "" : " <- ", memory::DescribeReturn(frame));
  }
  return text.empty() ? "a service" : text;
}

// Where the driver ended the object that lay there, if it did.
void AddEnding(uintptr_t address, Verdict* verdict) {
  const memory::Ending* ending = memory::FindEnding(address);
  if (ending == nullptr) return;
  verdict->evidence.push_back(
      absl::StrCat(ending->state == memory::State::kFreed ? "freed" : "completed", ": by fiber ",
                   ending->fiber, " in ", DescribeDriverStack(ending->stack)));
}

Verdict BadAccessVerdict() {
  MemoryRun::LookUpBadAccess();
  const memory::BadAccess& access = memory::TheEngine().bad_access();
  const StateText text = TextOf(access.state);
  Verdict verdict = MakeDriverVerdict(
      access.write ? text.write : text.read,
      absl::StrCat(access.write ? "write" : "read", " in ", memory::DescribeSite(access.site),
                   " of memory that ", text.is));
  verdict.evidence.push_back(absl::StrCat("access: by fiber ", access.fiber, " in ",
                                          DescribeDriverStack(memory::BadAccessStack())));
  AddEnding(access.address, &verdict);
  return verdict;
}

}  // namespace

Verdict EngineVerdict(bool races) {
  if (!memory::kHooked) return Verdict();
  if (MemoryRun::FoundBadAccess()) return BadAccessVerdict();
  if (!races || !memory::TheEngine().race().found) return Verdict();
  ClearRace();
  const Verdict race = RaceVerdict(LastRace(), Family{});
  Verdict verdict = MakeDriverVerdict(DriverRule::kDataRace, race.reason);
  verdict.evidence = race.evidence;
  AddEnding(memory::TheEngine().race().address, &verdict);
  return verdict;
}

std::vector<std::string> EngineStory(const MemoryRun& run,
                                     const std::function<std::string(uintptr_t)>& name_of) {
  std::vector<std::string> lines;
  for (const NotedDeviation& noted : run.deviations()) {
    const memory::Deviation& deviation = noted.deviation;
    lines.push_back(absl::StrCat("fiber ", deviation.fiber, " ",
                                 DescribeDeviation(deviation, name_of(deviation.address), -1),
                                 "; in ", memory::DescribeSite(deviation.site)));
  }
  return lines;
}

}  // namespace cancelsafe::drivers
