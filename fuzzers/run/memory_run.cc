// See memory_run.h.
#include "fuzzers/run/memory_run.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/run/machine.h"
#include "impl/image_format.h"

namespace cancelsafe {
namespace {

using schedule::MemoryModel;

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
    absl::StrAppend(&text, text.empty() ? "" : " <- ", memory::DescribeReturn(frame));
  }
  return text;
}

// Addresses differ from process to process, and say nothing.
std::string Value(uint64_t value) { return value > UINT32_MAX ? "a pointer" : absl::StrCat(value); }

}  // namespace

std::string DescribeDeviation(const memory::Deviation& deviation, const std::string& name,
                              int step) {
  const std::string what =
      absl::StrCat(name.empty() ? "a word" : name, " = ", Value(deviation.value));
  const std::string newest = Value(deviation.newest);
  const bool unseen = deviation.newest_writer == memory::kNoFiber;
  const std::string when = step < 0 ? "" : absl::StrCat(" after step ", step);
  switch (deviation.kind) {
    case memory::ChoiceKind::kRead:
    case memory::ChoiceKind::kUpdate:
      return absl::StrCat(
          "reads ", what, ", as ",
          deviation.writer == memory::kNoFiber
              ? "it was at first"
              : absl::StrCat("fiber ", static_cast<int>(deviation.writer), " left it"),
          "; ",
          unseen ? absl::StrCat("memory holds ", newest)
                 : absl::StrCat("fiber ", static_cast<int>(deviation.newest_writer), " wrote ",
                                newest, when),
          ", and nothing has ordered the two");
    case memory::ChoiceKind::kPlace:
      return absl::StrCat(
          "writes ", what, ", which counts as older than the ", newest,
          unseen ? " in memory"
                 : absl::StrCat(" that fiber ", static_cast<int>(deviation.newest_writer), " wrote",
                                when),
          ", as nothing has ordered the two");
    case memory::ChoiceKind::kFlush:
      if (deviation.delayed) {
        return absl::StrCat("lets the oldest store of its store buffer, ", what,
                            ", reach memory before what it does next");
      }
      return absl::StrCat("writes ", what,
                          " into its store buffer, where other fibers do not see it yet");
  }
  __builtin_unreachable();
}

std::string ReadMemoryModel(absl::string_view word, MemoryModel* model) {
  for (int i = 1; i < schedule::kMemoryModelCount; ++i) {
    if (word != schedule::kMemoryModelNames[i]) continue;
    *model = static_cast<MemoryModel>(i);
    return memory::kHooked
               ? ""
               : "--memory: this build has no memory engine; the preset 'model' has it (cmake "
                 "--preset model, cmake --build build/model), and so has ./cancelsafe with "
                 "--sanitizer model";
  }
  return absl::StrCat("--memory: '", word, "' is not sc, tso or rc11");
}

void MemoryRun::Begin(const schedule::Schedule& schedule, MemoryModel wanted, bool access_points,
                      const uint32_t* sequence) {
  if (!memory::kHooked) return;
  if (wanted == MemoryModel::kUnnamed) wanted = schedule.memory;
  memory::TheEngine().SetModel(memory::ModelOf(wanted));
  noting_.choices.Start(schedule);
  noting_.sequence = sequence;
  memory::RunSetup setup;
  setup.chooser = &noting_;
  setup.access_point = access_points ? Machine::PointKind(kPointAccess) : 0;
  setup.tells = tells_;
  memory::BeginRun(setup);
}

void MemoryRun::WriteTo(schedule::Schedule* executed) const {
  if (!memory::kHooked) return;
  executed->memory = memory::NameOf(memory::TheEngine().model());
  executed->stale_count = noting_.choices.made_count();
  std::copy_n(noting_.choices.made(), noting_.choices.made_count(), executed->stale);
}

bool MemoryRun::bounded() const {
  if (!memory::kHooked) return false;
  const memory::Engine& engine = memory::TheEngine();
  // The newest value is always known. What a read that races returns otherwise is not.
  const bool forgets =
      engine.model() != memory::Model::kSc && (engine.bounded() || engine.race().found);
  return forgets || engine.exhausted() || noting_.choices.cut_short();
}

bool MemoryRun::SeesAccessesOf(const Implementation& implementation) {
  if (!memory::kHooked) return false;
  if (const ImageParts* const image = ImagePartsOf(implementation); image != nullptr) {
    return memory::IsInstrumented(reinterpret_cast<uintptr_t>(image->code));
  }
  const auto seen = [](auto* routine) {
    return routine == nullptr || memory::IsInstrumented(reinterpret_cast<uintptr_t>(routine));
  };
#define CANCELSAFE_IS_SEEN(type, name, parameters) \
  if (!seen(implementation.name)) return false;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_IS_SEEN)
#undef CANCELSAFE_IS_SEEN
  return true;
}

void MemoryRun::LookUpBadAccess() {
  const memory::BadAccess& access = memory::TheEngine().bad_access();
  std::vector<uintptr_t> places = {memory::AddressOf(access.site)};
  const auto add = [&places](const memory::CallStack& stack) {
    places.insert(places.end(), std::begin(stack.frame), std::end(stack.frame));
  };
  add(memory::BadAccessStack());
  const memory::Ending* ending = memory::FindEnding(access.address);
  if (ending != nullptr) add(ending->stack);
  memory::LookUpReturns(places);
}

Verdict MemoryRun::BadAccessVerdict(Family family) {
  LookUpBadAccess();
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

int MemoryRun::Noting::Choose(memory::ChoiceKind kind, int alternatives) {
  const int index = other == nullptr ? choices.Choose(kind, alternatives)
                                     : choices.Take(kind, alternatives, other);
  if (index != 0) made_at[choices.made_count() - 1] = *sequence;
  return index;
}

std::vector<NotedDeviation> MemoryRun::deviations() const {
  std::vector<NotedDeviation> noted;
  if (!memory::kHooked) return noted;
  const memory::Engine& engine = memory::TheEngine();
  static_assert(memory::Engine::kMaxDeviations == schedule::kMaxStaleChoices);
  const int count = std::min(engine.deviation_count(), memory::Engine::kMaxDeviations);
  for (int i = 0; i < count; ++i) noted.push_back({engine.deviation(i), noting_.made_at[i]});
  return noted;
}

}  // namespace cancelsafe
