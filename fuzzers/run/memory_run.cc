// See memory_run.h.
#include "fuzzers/run/memory_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/run/machine.h"

namespace cancelsafe {
namespace {

// What a verdict calls the access, and what it says of the memory.
struct StateText {
  const char* word;
  const char* is;
};

StateText TextOf(memory::State state) {
  switch (state) {
    case memory::State::kCompleted:
      return {"access-after-completion", "belongs to an IRP that was completed"};
    case memory::State::kFreed:
      return {"access-after-free", "was freed"};
    case memory::State::kCanary:
      return {"out-of-bounds", "lies between objects"};
    case memory::State::kUnallocated:
      return {"unallocated-access", "was never allocated"};
    case memory::State::kLive:
      return {"live", "is live"};
  }
  __builtin_unreachable();
}

// " <- Caller impl/x.cc:12" for each frame, as far as they are known.
std::string DescribeStack(const memory::CallStack& stack) {
  std::string text;
  for (const uintptr_t frame : stack.frame) {
    if (frame == 0) break;
    absl::StrAppend(&text, text.empty() ? "" : " <- ",
                    memory::DescribeSite(static_cast<uint32_t>(frame)));
  }
  return text;
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

Verdict MemoryRun::BadAccessVerdict(Family family) {
  const memory::BadAccess& access = memory::TheEngine().bad_access();
  const StateText text = TextOf(access.state);
  Verdict verdict = MakeVerdict(Rule::kSanitizerMemory, family, text.word);
  verdict.reason = absl::StrCat(access.write ? "write" : "read", " in ",
                                memory::DescribeSite(access.site), " of memory that ", text.is);
  verdict.evidence.push_back(absl::StrCat("access: by fiber ", access.fiber, " in ",
                                          DescribeStack(memory::BadAccessStack())));
  const memory::Ending* ending = memory::FindEnding(access.address);
  if (ending != nullptr) {
    verdict.evidence.push_back(
        absl::StrCat(ending->state == memory::State::kFreed ? "freed" : "completed", ": by fiber ",
                     ending->fiber, " in ", DescribeStack(ending->stack)));
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
