// See race.h. Compiled without TSan: the hook runs inside its report.
#include "fuzzers/run/race.h"

#include <cstring>

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
void __sanitizer_symbolize_pc(void* pc, const char* format, char* out, unsigned long size);
}
#endif

namespace cancelsafe {
namespace {

Race last_race;
[[maybe_unused]] bool ignores_data_races = false;
[[maybe_unused]] bool ignores_uses_after_free = false;

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

void ClearRace() { last_race.found = false; }
void IgnoreRaces(bool data_races, bool uses_after_free) {
  ignores_data_races = data_races;
  ignores_uses_after_free = uses_after_free;
}

#if defined(CANCELSAFE_SANITIZER_MODEL)

namespace {

std::string DescribeFrame(void* pc) {
  return memory::DescribeSite(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pc)));
}

}  // namespace

#elif defined(CANCELSAFE_SANITIZER_THREAD)

namespace {

std::string DescribeFrame(void* pc) {
  char text[512] = "";
  // The traced pc is the return address; the access lies before it.
  __sanitizer_symbolize_pc(static_cast<char*>(pc) - 1, "%f %s:%l", text, sizeof text);
  // Keep the path below the source tree, so that the line is the same anywhere.
  absl::string_view view(text);
  for (absl::string_view room : {"/impl/", "/fuzzers/", "/conformance/", "/oracle/"}) {
    const size_t at = view.rfind(room);
    if (at == absl::string_view::npos) continue;
    // The last one in front of the path: the name of a function may have some.
    const size_t space = view.rfind(' ', at);
    if (space == absl::string_view::npos) break;
    return absl::StrCat(view.substr(0, space + 1), view.substr(at + 1));
  }
  return text;
}

}  // namespace

#endif

#if defined(CANCELSAFE_SANITIZER_THREAD) || defined(CANCELSAFE_SANITIZER_MODEL)

namespace {

std::string DescribeAccess(const RaceAccess& access) {
  return absl::StrCat(access.atomic ? "atomic " : "", access.write ? "write" : "read",
                      access.size == 0 ? "" : absl::StrCat(" of ", access.size, " bytes"), " in ",
                      DescribeFrame(access.frame[0]));
}

}  // namespace

Verdict RaceVerdict(const Race& race, Family family) {
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
      absl::StrAppend(&line, " <- ", DescribeFrame(access.frame[i]));
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
  race.found = true;
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
  return true;
}

}  // namespace __tsan

// Reports are taken in-process, every one of them, and do not count as TSan's own; what
// TSan itself dies of (a signal that it catches) is a violation. Nothing sleeps at exit.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "halt_on_error=0:report_signal_unsafe=0:atexit_sleep_ms=0:exitcode=1:"
         "suppress_equal_stacks=0:suppress_equal_addresses=0:report_thread_leaks=0";
}

#endif
