// See memory_run.h.
#include "fuzzers/run/memory_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/run/machine.h"

namespace cancelsafe {
namespace {

const char* StateName(memory::State state) {
  switch (state) {
    case memory::State::kCompleted:
      return "belongs to an IRP that was completed";
    case memory::State::kFreed:
      return "was freed";
    case memory::State::kCanary:
      return "lies between objects";
    case memory::State::kUnallocated:
      return "was never allocated";
    case memory::State::kLive:
      return "is live";
  }
  __builtin_unreachable();
}

std::string Writer(uint8_t writer) {
  return writer == memory::kNoFiber ? "as it was at first" : absl::StrCat("of fiber ", writer);
}

std::string Describe(const memory::Deviation& deviation) {
  const std::string place = memory::DescribeSite(deviation.site);
  switch (deviation.kind) {
    case memory::ChoiceKind::kRead:
    case memory::ChoiceKind::kUpdate:
      return absl::StrCat("stale read: fiber ", deviation.fiber, " reads ", deviation.value, ", ",
                          Writer(deviation.writer), ", in ", place, "; memory holds ",
                          deviation.newest, ", ", Writer(deviation.newest_writer),
                          ", and nothing has ordered the two");
    case memory::ChoiceKind::kPlace:
      return absl::StrCat("early store: fiber ", deviation.fiber, " stores ", deviation.value,
                          " in ", place, ", before ", deviation.newest, ", ",
                          Writer(deviation.newest_writer), ", in the order of this location");
    case memory::ChoiceKind::kFlush:
      return absl::StrCat("late store: fiber ", deviation.fiber, " stores ", deviation.value,
                          " in ", place, ", which stays in its store buffer");
  }
  __builtin_unreachable();
}

}  // namespace

void MemoryRun::Begin(const schedule::Schedule& schedule, bool access_points) {
  if (!memory::kHooked) return;
  choices_.Start(schedule);
  memory::RunSetup setup;
  setup.chooser = &choices_;
  setup.access_point = access_points ? Machine::PointKind(kPointAccess) : 0;
  memory::BeginRun(setup);
}

void MemoryRun::WriteTo(schedule::Schedule* executed) const {
  if (!memory::kHooked) return;
  executed->stale_count = choices_.made_count();
  std::copy_n(choices_.made(), choices_.made_count(), executed->stale);
}

Verdict MemoryRun::BadAccessVerdict() {
  const memory::BadAccess& access = memory::TheEngine().bad_access();
  Verdict verdict;
  verdict.kind = VerdictKind::kMemoryError;
  verdict.rule = "use-after-free";
  verdict.reason =
      absl::StrCat(access.write ? "write" : "read", " in ", memory::DescribeSite(access.site),
                   " of memory that ", StateName(access.state));
  if (access.by_fiber >= 0) {
    verdict.evidence.push_back(absl::StrCat("last written by fiber ", access.by_fiber, " in ",
                                            memory::DescribeSite(access.by_site)));
  }
  return verdict;
}

void MemoryRun::AddEvidence(Verdict* verdict) {
  if (!memory::kHooked) return;
  const memory::Engine& engine = memory::TheEngine();
  const int count = std::min(engine.deviation_count(), memory::Engine::kMaxDeviations);
  for (int i = 0; i < count; ++i) verdict->evidence.push_back(Describe(engine.deviation(i)));
}

}  // namespace cancelsafe
