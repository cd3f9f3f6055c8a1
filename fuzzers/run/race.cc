// See race.h. Compiled without TSan: the hook runs inside its report.
#include "fuzzers/run/race.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/memory/runtime.h"

#ifdef CANCELSAFE_SANITIZER_THREAD
extern "C" {
int __tsan_get_report_data(void* report, const char** description, int* count, int* stack_count,
                           int* mop_count, int* loc_count, int* mutex_count, int* thread_count,
                           int* unique_tid_count, void** sleep_trace, unsigned long trace_size);
int __tsan_get_report_mop(void* report, unsigned long index, int* thread, void** address, int* size,
                          int* write, int* atomic, void** trace, unsigned long trace_size);
int __tsan_get_report_thread(void* report, unsigned long index, int* thread,
                             unsigned long long* os_id, int* running, const char** name,
                             int* parent, void** trace, unsigned long trace_size);
}
#endif

namespace cancelsafe {
namespace {

Race last_race;
[[maybe_unused]] bool ignores_data_races = false;
[[maybe_unused]] bool ignores_uses_after_free = false;
int reports = 0;
// The code of each race that does not count, the lower address first.
std::vector<std::pair<void*, void*>> ignored_races;
int ignored_by = 0;

std::pair<void*, void*> CodeOf(const Race& race) {
  return std::minmax(race.access[0].frame[0], race.access[1].frame[0]);
}

[[maybe_unused]] bool IsIgnored(const Race& race) {
  return !ignored_races.empty() &&
         std::find(ignored_races.begin(), ignored_races.end(), CodeOf(race)) != ignored_races.end();
}

}  // namespace

#ifdef CANCELSAFE_SANITIZER_MODEL

namespace {

RaceAccess AccessOf(const memory::RaceSide& side) {
  RaceAccess access;
  access.fiber = side.fiber;
  access.write = side.write;
  access.atomic = side.atomic;
  access.frame[0] = reinterpret_cast<void*>(memory::AddressOf(side.site));
  return access;
}

}  // namespace

const Race& LastRace() {
  const memory::Race& race = memory::TheEngine().race();
  if (race.found && !last_race.found && !ignores_data_races) {
    last_race.found = true;
    last_race.use_after_free = false;
    last_race.access[0] = AccessOf(race.later);
    last_race.access[1] = AccessOf(race.earlier);
  }
  return last_race;
}

#else

const Race& LastRace() { return last_race; }

#endif

void ClearRace() {
  last_race.found = false;
  reports = 0;
}

int RaceReports() { return reports; }

bool IgnoreRacesLike(const Race& race) {
  if (IsIgnored(race)) return false;
  ignored_races.push_back(CodeOf(race));
#ifdef CANCELSAFE_SANITIZER_MODEL
  const auto site = [&race](int access) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(race.access[access].frame[0]));
  };
  memory::IgnoreRacesBetween(site(0), site(1));
#endif
  return true;
}

void IgnoreRaces(bool data_races, bool uses_after_free, int runner) {
  if (runner != ignored_by) {
    ignored_by = runner;
    ignored_races.clear();
    memory::CountAllRaces();
  }
  ignores_data_races = data_races;
  ignores_uses_after_free = uses_after_free;
}

#if defined(CANCELSAFE_SANITIZER_MODEL)

namespace {

std::string DescribeFrame(uintptr_t pc) { return memory::DescribeReturn(pc); }
void LookUpFrames(const std::vector<uintptr_t>& pcs) { memory::LookUpReturns(pcs); }

}  // namespace

#elif defined(CANCELSAFE_SANITIZER_THREAD)

namespace {

// The traced pc is the return address; the access lies before it.
std::string DescribeFrame(uintptr_t pc) { return memory::DescribeCode(pc - 1); }
void LookUpFrames(std::vector<uintptr_t> pcs) {
  for (uintptr_t& pc : pcs) --pc;
  memory::LookUpCode(pcs);
}

}  // namespace

#endif

#if defined(CANCELSAFE_SANITIZER_THREAD) || defined(CANCELSAFE_SANITIZER_MODEL)

namespace {

std::string DescribeAccess(const RaceAccess& access) {
  return absl::StrCat(access.atomic ? "atomic " : "", access.write ? "write" : "read",
                      access.size == 0 ? "" : absl::StrCat(" of ", access.size, " bytes"), " in ",
                      DescribeFrame(reinterpret_cast<uintptr_t>(access.frame[0])));
}

// One symbolizer for all frames that a verdict will name.
void LookUpFrames(const Race& race) {
  std::vector<uintptr_t> pcs;
  for (const RaceAccess& access : race.access) {
    for (void* const frame : access.frame) {
      if (frame != nullptr) pcs.push_back(reinterpret_cast<uintptr_t>(frame));
    }
  }
  LookUpFrames(pcs);
}

}  // namespace

Verdict RaceVerdict(const Race& race, Family family) {
  LookUpFrames(race);
  Verdict verdict =
      MakeVerdict(race.use_after_free ? Rule::kRaceAfterFree : Rule::kDataRace, family);
  std::string first = DescribeAccess(race.access[0]);
  std::string second = DescribeAccess(race.access[1]);
  // Which of the two ran last depends on the schedule, not on the bug.
  if (second < first) std::swap(first, second);
  verdict.reason = absl::StrCat("no happens-before between ", first, " and ", second);
  for (const RaceAccess& access : race.access) {
    std::string line = absl::StrCat("access: ", DescribeAccess(access));
    for (int i = 1; i < RaceAccess::kFrames && access.frame[i] != nullptr; ++i) {
      absl::StrAppend(&line, " <- ", DescribeFrame(reinterpret_cast<uintptr_t>(access.frame[i])));
    }
    verdict.evidence.push_back(std::move(line));
  }
  return verdict;
}

#else

Verdict RaceVerdict(const Race&, Family) { return Verdict(); }

#endif

}  // namespace cancelsafe

#ifdef CANCELSAFE_SANITIZER_THREAD

namespace cancelsafe {
namespace {

// Fibers have the names that the executor gave them: "fiber 2".
int FiberOfThread(void* report, int thread_count, int thread) {
  for (int i = 0; i < thread_count; ++i) {
    int number = 0, running = 0, parent = 0;
    unsigned long long os_id = 0;
    const char* name = nullptr;
    void* trace[1];
    __tsan_get_report_thread(report, static_cast<unsigned long>(i), &number, &os_id, &running,
                             &name, &parent, trace, 1);
    if (number != thread || name == nullptr || strncmp(name, "fiber ", 6) != 0) continue;
    return name[6] - '0';
  }
  return -1;
}

}  // namespace
}  // namespace cancelsafe

namespace __tsan {
class ReportDesc;

// TSan asks whether to suppress its report. Always: the verdict says it better.
__attribute__((visibility("default"))) bool OnReport(const ReportDesc* description, bool) {
  ++cancelsafe::reports;
  cancelsafe::Race& race = cancelsafe::last_race;
  if (race.found) return true;
  void* report = const_cast<ReportDesc*>(description);
  const char* type = "";
  int count, stacks, mops = 0, locs, mutexes, threads, tids;
  void* sleep_trace[1];
  __tsan_get_report_data(report, &type, &count, &stacks, &mops, &locs, &mutexes, &threads, &tids,
                         sleep_trace, 1);
  const bool use_after_free = strstr(type, "use-after-free") != nullptr;
  if (use_after_free ? cancelsafe::ignores_uses_after_free : cancelsafe::ignores_data_races) {
    return true;
  }
  race.use_after_free = use_after_free;
  for (int i = 0; i < 2; ++i) {
    cancelsafe::RaceAccess& access = race.access[i];
    access = cancelsafe::RaceAccess();
    if (i >= mops) continue;
    void* address;
    int write = 0, atomic = 0;
    __tsan_get_report_mop(report, static_cast<unsigned long>(i), &access.thread, &address,
                          &access.size, &write, &atomic, access.frame,
                          cancelsafe::RaceAccess::kFrames);
    access.write = write != 0;
    access.atomic = atomic != 0;
    access.fiber = cancelsafe::FiberOfThread(report, threads, access.thread);
  }
  race.found = !cancelsafe::IsIgnored(race);
  return true;
}

}  // namespace __tsan

// Reports are taken in-process, every one of them, and do not count as TSan's own; what
// TSan itself dies of (a signal that it catches) is a violation. Nothing sleeps at exit.
// Names and lines are looked up for a verdict alone: TSan would look them up for every
// report, also of a race that does not count.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "halt_on_error=0:report_signal_unsafe=0:atexit_sleep_ms=0:exitcode=1:"
         "suppress_equal_stacks=0:suppress_equal_addresses=0:report_thread_leaks=0:"
         "symbolize=0";
}

#endif
