// What a schedule is: which scheduler drives a run, its parameters, and the
// choices it made, as plain values. Every scheduler, the text form and the saved
// files share this. Knows nothing of queues or operations.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_SCHEDULE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace cancelsafe::schedule {

// The fibers of a program for a queue, and of what searches all schedules.
inline constexpr int kMaxFibers = 4;
// What the executor and the schedulers have room for: a driver under test starts fibers of
// its own (DPCs, work items, threads) beside those of its program.
inline constexpr int kFiberCapacity = 8;
// A run of up to kMaxPointBudget points never makes more choices than this: each point
// and each start and end of a fiber is one decision at most. What identifies a run is
// therefore never cut short.
inline constexpr int kMaxPointBudget = 20000;
inline constexpr int kMaxChoices = kMaxPointBudget + 2 * kFiberCapacity;

// What drives a run: a scheduler of schedulers.def, or only the listed choices and
// everywhere else the default.
enum class Kind : uint8_t {
  kChoices,
#define CANCELSAFE_SCHEDULER(kind, name, Name, parameters) kind,
#include "fuzzers/schedule/schedulers.def"
#undef CANCELSAFE_SCHEDULER
};

// By number of the kind: its word, and how many values of the parameter it tells apart.
inline constexpr const char* kKindNames[] = {
    "choices",
#define CANCELSAFE_SCHEDULER(kind, name, Name, parameters) #name,
#include "fuzzers/schedule/schedulers.def"
#undef CANCELSAFE_SCHEDULER
};
inline constexpr int kParameterCounts[] = {
    1,
#define CANCELSAFE_SCHEDULER(kind, name, Name, parameters) parameters,
#include "fuzzers/schedule/schedulers.def"
#undef CANCELSAFE_SCHEDULER
};
inline constexpr int kKindCount = std::size(kKindNames);

// The word for a kind, in reports and on command lines as in the text form.
inline const char* NameOf(Kind kind) { return kKindNames[static_cast<int>(kind) % kKindCount]; }

// At decision number `step` (counting only those with two or more enabled
// fibers) run `fiber` instead of the default. The default is: go on with the
// current fiber; if it cannot, the enabled fiber with the lowest number. In the fair
// half of a run (RunOptions::point_budget) it is the next enabled fiber in turn.
struct Choice {
  uint16_t step;
  uint8_t fiber;
  friend bool operator==(Choice a, Choice b) { return a.step == b.step && a.fiber == b.fiber; }
};

// The model of memory (fuzzers/memory/order.h) under which a run takes place. Builds
// without the memory engine have none, and take no notice.
enum class MemoryModel : uint8_t { kUnnamed, kSc, kTso, kRc11 };
inline constexpr const char* kMemoryModelNames[] = {"", "sc", "tso", "rc11"};
inline constexpr int kMemoryModelCount = std::size(kMemoryModelNames);

// What the memory model left open and was not done as sequential consistency would
// (fuzzers/memory/choices.h): at the run's choice `number`, counting those with two or
// more alternatives, number `index` of them was taken. One is nearly always enough.
struct StaleChoice {
  uint16_t number;
  uint8_t kind;
  uint8_t index;
  uint8_t alternatives;  // 0: not known
  friend bool operator==(StaleChoice a, StaleChoice b) {
    return a.number == b.number && a.kind == b.kind && a.index == b.index &&
           a.alternatives == b.alternatives;
  }
};
inline constexpr int kMaxStaleChoices = 16;
inline constexpr uint8_t kMaxStaleIndex = 63;
// By number of the kind, the words of the text form.
inline constexpr const char* kStaleKindNames[] = {"read", "update", "place", "flush"};
inline constexpr int kStaleKindCount = std::size(kStaleKindNames);

// Choices override what the scheduler picks. Steps ascend. Choices beyond choice_count
// are indeterminate; copying is O(choice_count).
struct Schedule {
  // User-provided, so that no initialisation clears the choices.
  Schedule() {}  // NOLINT(modernize-use-equals-default)
  Schedule(const Schedule& other) { *this = other; }
  Schedule& operator=(const Schedule& other) {
    if (this == &other) return *this;
    kind = other.kind;
    parameter = other.parameter;
    seed = other.seed;
    memory = other.memory;
    choice_count = other.choice_count;
    std::copy_n(other.choices, choice_count, choices);
    stale_count = other.stale_count;
    std::copy_n(other.stale, stale_count, stale);
    return *this;
  }

  Kind kind = Kind::kChoices;
  uint8_t parameter = 0;
  uint32_t seed = 0;
  // Unnamed: that of the caller's options.
  MemoryModel memory = MemoryModel::kUnnamed;
  int stale_count = 0;  // numbers ascend
  StaleChoice stale[kMaxStaleChoices];
  int choice_count = 0;
  Choice choices[kMaxChoices];
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_SCHEDULE_H_
