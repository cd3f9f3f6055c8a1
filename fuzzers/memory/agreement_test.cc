// The engine's races against another definition of them: happens-before computed from
// the recorded trace as the standard states it, edge by edge, and every pair of accesses
// compared. Programs and schedules are random; each is one run under `sc`.
//
// Runs 20,000 schedules; CANCELSAFE_AGREEMENT_SCHEDULES=1000000 in the environment asks
// for more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "fuzzers/memory/engine.h"

namespace cancelsafe::memory {
namespace {

constexpr int kEventsMax = 56;
constexpr int kAtomics = 2;  // words that are only accessed whole
constexpr int kPlainBytes = 16;

enum class What : uint8_t {
  kRead,
  kWrite,
  kLoad,
  kStore,
  kUpdate,
  kCompare,
  kFence,
  kAcquire,
  kRelease
};

struct Event {
  int fiber;
  What what;
  Order order;
  int place;  // byte, from the start of memory; a token's number
  int size;
  bool writes;          // an atomic access that stored
  int reads_from = -1;  // the event that stored what an atomic access read
  uint64_t before = 0;  // events that happen before this one
};

bool IsPlain(const Event& e) { return e.what == What::kRead || e.what == What::kWrite; }
bool IsAtomic(const Event& e) { return e.what >= What::kLoad && e.what <= What::kCompare; }
bool Writes(const Event& e) { return e.what == What::kWrite || (IsAtomic(e) && e.writes); }

// Happens-before of a trace, in execution order.
class Trace {
 public:
  void Add(Event event) {
    const int number = static_cast<int>(events_.size());
    for (int i = number - 1; i >= 0; --i) {
      if (events_[i].fiber == event.fiber) {
        AddEdge(i, &event);
        break;
      }
    }
    if (event.reads_from >= 0 && Acquires(event.order)) AddHeads(event.reads_from, &event);
    if (event.what == What::kFence && Acquires(event.order)) {
      for (int i = 0; i < number; ++i) {
        const Event& read = events_[i];
        if (read.fiber == event.fiber && read.reads_from >= 0) AddHeads(read.reads_from, &event);
      }
    }
    if (event.what == What::kAcquire) {
      for (int i = 0; i < number; ++i) {
        if (events_[i].what == What::kRelease && events_[i].place == event.place) {
          AddEdge(i, &event);
        }
      }
    }
    events_.push_back(event);
  }

  // The first event that races with an earlier one, or -1; and with which.
  int FirstRace(uint64_t* with) const {
    for (size_t later = 0; later < events_.size(); ++later) {
      *with = 0;
      for (size_t earlier = 0; earlier < later; ++earlier) {
        if (Races(events_[earlier], events_[later], earlier)) *with |= uint64_t{1} << earlier;
      }
      if (*with != 0) return static_cast<int>(later);
    }
    return -1;
  }

 private:
  void AddEdge(int from, Event* event) const {
    event->before |= events_[from].before | uint64_t{1} << from;
  }

  // Edges from what synchronises with a reader of `store`: each store of its release
  // sequence that releases, and the release fences before those that do not.
  void AddHeads(int store, Event* event) const {
    for (int head = store; head >= 0;) {
      const Event& e = events_[head];
      if (Releases(e.order)) AddEdge(head, event);
      for (int i = 0; i < head; ++i) {
        const Event& fence = events_[i];
        if (fence.fiber == e.fiber && fence.what == What::kFence && Releases(fence.order)) {
          AddEdge(i, event);
        }
      }
      // Only an update continues the sequence of what it read.
      head = e.what == What::kStore ? -1 : e.reads_from;
    }
  }

  static bool Races(const Event& a, const Event& b, size_t number_of_a) {
    const bool accesses = (IsPlain(a) || IsAtomic(a)) && (IsPlain(b) || IsAtomic(b));
    if (!accesses || a.fiber == b.fiber || (b.before >> number_of_a & 1) != 0) return false;
    if (IsAtomic(a) && IsAtomic(b)) return false;
    if (!Writes(a) && !Writes(b)) return false;
    return a.place < b.place + b.size && b.place < a.place + a.size;
  }

  std::vector<Event> events_;
};

class Schedule {
 public:
  explicit Schedule(uint64_t seed) : random_(seed) {
    engine_->shadow().AddRange(&memory_, sizeof(memory_));
  }

  // One random run. What went wrong, or "".
  std::string Run() {
    memory_ = Memory();
    engine_->NewRun();
    for (int& store : last_store_) store = -1;
    for (Knowledge& token : tokens_) token = Knowledge();
    Trace trace;
    const int fibers = random_.Between(2, kMaxFibers);
    const int events = random_.Between(4, kEventsMax);
    // Races are everywhere in programs that hardly synchronise: those with few plain
    // accesses get further.
    const int plain_percent = random_.OneIn(2) ? 10 : 40;
    for (int i = 0; i < events && !engine_->race().found; ++i) {
      trace.Add(Step(i, random_.Below(fibers), plain_percent));
    }
    uint64_t with = 0;
    const int later = trace.FirstRace(&with);
    const Race& race = engine_->race();
    races_ += race.found;
    if (race.found != (later >= 0)) {
      return race.found ? "the engine reports a race that is none" : "the engine misses a race";
    }
    if (!race.found) return "";
    if (static_cast<int>(race.later.site) != later) return "not the first race";
    if ((with >> race.earlier.site & 1) == 0) return "the earlier side does not race";
    return "";
  }

  int races() const { return races_; }

 private:
  struct Memory {
    uint64_t atomic[kAtomics] = {};
    uint8_t plain[kPlainBytes] = {};
  };

  Order RandomOrder() {
    constexpr Order kOrders[] = {Order::kRelaxed, Order::kAcquire, Order::kRelease, Order::kAcqRel,
                                 Order::kSeqCst};
    return kOrders[random_.Below(5)];
  }

  Event Step(int number, int fiber, int plain_percent) {
    const uint32_t site = static_cast<uint32_t>(number);
    if (random_.Percent(plain_percent)) return Plain(fiber, site);
    Event e = {fiber, What::kFence, RandomOrder(), 0, 0, false};
    switch (random_.Below(8)) {
      case 0:
        engine_->Fence(fiber, e.order);
        return e;
      case 1: {
        e.place = random_.Below(2);
        e.what = random_.OneIn(2) ? What::kAcquire : What::kRelease;
        if (e.what == What::kAcquire) {
          engine_->machine().Acquire(fiber, tokens_[e.place]);
        } else {
          engine_->machine().Release(fiber, &tokens_[e.place]);
        }
        e.order = Order::kRelaxed;
        return e;
      }
      default:
        return Atomic(fiber, site, e);
    }
  }

  Event Plain(int fiber, uint32_t site) {
    const int size = random_.OneIn(8) ? random_.Between(1, kPlainBytes) : 1 << random_.Below(4);
    // Now and then a whole atomic word, as an initialisation would.
    const bool atomic = random_.OneIn(10);
    const int begin =
        atomic ? 8 * random_.Below(kAtomics) : 8 * kAtomics + random_.Below(kPlainBytes - size + 1);
    const bool write = random_.OneIn(2);
    const int bytes = atomic ? 8 : size;
    char* address = reinterpret_cast<char*>(&memory_) + begin;
    if (write) {
      engine_->PlainWrite(fiber, address, static_cast<size_t>(bytes), site);
      if (atomic) {
        memory_.atomic[begin / 8] = site + 1000;
        last_store_[begin / 8] = -1;  // orders nothing for those that read it
      }
    } else {
      engine_->PlainRead(fiber, address, static_cast<size_t>(bytes), site);
    }
    return {fiber, write ? What::kWrite : What::kRead, Order::kPlain, begin, bytes, false};
  }

  Event Atomic(int fiber, uint32_t site, Event e) {
    const int word = random_.Below(kAtomics);
    uint64_t* const address = &memory_.atomic[word];
    e.place = 8 * word;
    e.size = 8;
    const uint64_t value = site + 1;
    switch (random_.Below(4)) {
      case 0:
        e.what = What::kLoad;
        engine_->Load(fiber, address, 8, e.order, site);
        break;
      case 1:
        e.what = What::kStore;
        e.writes = true;
        engine_->Store(fiber, address, 8, value, e.order, site);
        break;
      case 2:
        e.what = What::kUpdate;
        e.writes = true;
        engine_->Update(fiber, address, 8, Operation::kExchange, value, e.order, site);
        break;
      default: {
        e.what = What::kCompare;
        const uint64_t expected = random_.OneIn(2) ? *address : 12345;
        const Order failure = random_.OneIn(2) ? Order::kRelaxed : Order::kSeqCst;
        e.writes = engine_->CompareExchange(fiber, address, 8, expected, value, e.order, failure,
                                            site) == expected;
        if (!e.writes) e.order = failure;
        // A failed comparison is a load.
        if (!e.writes) e.what = What::kLoad;
        break;
      }
    }
    if (e.what != What::kStore) e.reads_from = last_store_[word];
    if (e.writes) last_store_[word] = static_cast<int>(site);
    return e;
  }

  Random random_;
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>(Model::kSc);
  alignas(8) Memory memory_;
  int last_store_[kAtomics];
  Knowledge tokens_[2];
  int races_ = 0;
};

TEST(Agreement, EveryRaceIsThatOfTheTraceAndTheOtherWayRound) {
  const char* wanted = std::getenv("CANCELSAFE_AGREEMENT_SCHEDULES");
  const int schedules = wanted == nullptr ? 20000 : std::atoi(wanted);
  Schedule schedule(/*seed=*/7);
  for (int i = 0; i < schedules; ++i) {
    ASSERT_EQ(schedule.Run(), "") << "schedule " << i;
  }
  // Both answers have to be frequent, or the comparison would say little.
  EXPECT_GT(schedule.races(), schedules / 10);
  EXPECT_LT(schedule.races(), schedules * 9 / 10);
  RecordProperty("races", schedule.races());
}

}  // namespace
}  // namespace cancelsafe::memory
