// The search on histories made by hand, and against trying all orders on
// thousands of small random ones.
#include "oracle/linearizability.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "oracle/callback_data_queue/model.h"
#include "oracle/csq/model.h"
#include "oracle/device_queue/model.h"
#include "oracle/history_builder.h"
#include "oracle/start_io/model.h"

namespace cancelsafe {
namespace {

constexpr uint64_t kPlenty = 1000000;

template <class Model>
struct Subject {
  Trace traces[kMaxCalls];
  LinearizabilitySearch<Model> search;

  explicit Subject(const History& history, Reading reading = Reading::kOwn) {
    CollectTraces(history, traces);
    search.Start(history, reading, traces);
  }
  bool ByEffect() {
    return search.TryOrderOfEffect([](const auto&, const Operation&, Outcome) {});
  }
  SearchResult Search(bool with_traces = true) { return search.Search(with_traces, kPlenty); }
};

template <class Model>
SearchResult Judge(const History& history, bool with_traces = true) {
  return Subject<Model>(history).Search(with_traces);
}

// Every order, no memory, no cleverness.
template <class Model>
bool SomeOrderWorks(const History& history, const Subject<Model>& subject, bool with_traces,
                    const typename Model::State& state, uint32_t placed) {
  bool complete = Model::MayEnd(state);
  for (int i = 0; i < history.call_count; ++i) {
    complete &= (placed >> i & 1) != 0 || !history.calls[i].returned;
  }
  if (complete) return true;
  for (int i = 0; i < history.call_count; ++i) {
    if ((placed >> i & 1) != 0) continue;
    bool may_be_next = true;
    for (int j = 0; j < history.call_count; ++j) {
      const Call& other = history.calls[j];
      if (j == i || (placed >> j & 1) != 0 || !other.returned) continue;
      may_be_next &= history.calls[i].begin <= other.end;
    }
    if (!may_be_next) continue;
    Alternative<typename Model::State> alternatives[kMaxAlternatives<Model>];
    const int count = subject.search.Step(state, i, alternatives);
    for (int a = 0; a < count; ++a) {
      if (subject.search.Explains(alternatives[a], i, with_traces) &&
          SomeOrderWorks(history, subject, with_traces, alternatives[a].next, placed | 1u << i)) {
        return true;
      }
    }
  }
  return false;
}

Operation RandomOperation(Family family, Random* random) {
  const uint8_t item = static_cast<uint8_t>(random->Below(3));
  const uint32_t key = static_cast<uint32_t>(random->Below(3));
  const uint8_t flags = static_cast<uint8_t>(random->Below(2) * (kWithContext | kCancelable));
  static constexpr Op kCsqOps[] = {Op::kInsert, Op::kInsertEx, Op::kRemove, Op::kRemoveNext,
                                   Op::kCancel, Op::kInsert,   Op::kCancel, Op::kComplete};
  static constexpr Op kCbdqOps[] = {Op::kInsertEx, Op::kRemove, Op::kRemoveNext, Op::kCancel,
                                    Op::kInsertEx, Op::kCancel, Op::kDisable,    Op::kEnable};
  static constexpr Op kDeviceOps[] = {
      Op::kQueueInsert,      Op::kQueueInsertByKey,       Op::kQueueRemove,
      Op::kQueueRemoveByKey, Op::kQueueRemoveByKeyIfBusy, Op::kQueueRemoveEntry,
      Op::kQueueInsert,      Op::kQueueInsertByKey};
  static constexpr Op kStartOps[] = {
      Op::kStartPacket, Op::kStartPacketByKey, Op::kStartNext,        Op::kStartNextByKey,
      Op::kCancel,      Op::kStartPacket,      Op::kStartPacketByKey, Op::kCancel};
  const int choice = random->Below(8);
  const Op op = family == Family::kCsq                 ? kCsqOps[choice]
                : family == Family::kCallbackDataQueue ? kCbdqOps[choice]
                : family == Family::kDeviceQueue       ? kDeviceOps[choice]
                                                       : kStartOps[choice];
  return MakeOperation(op, item, key, flags);
}

// Calls overlap at random; each takes effect in the model at a moment of its own.
template <class Model>
History RandomHistory(const Setup& setup, Reading reading, int calls, Random* random) {
  HistoryBuilder b(setup, 3);
  typename Model::State state = Model::Initial(setup);
  int open[3] = {-1, -1, -1};
  bool effective[3] = {};
  int32_t outcomes[3] = {};
  int begun = 0;
  for (int moves = 0; moves < 400; ++moves) {
    const int fiber = random->Below(3);
    if (open[fiber] < 0) {
      if (begun == calls) {
        if (open[0] < 0 && open[1] < 0 && open[2] < 0) break;
        continue;
      }
      open[fiber] = b.Begin(fiber, RandomOperation(setup.family, random));
      effective[fiber] = false;
      ++begun;
    } else if (!effective[fiber]) {
      Call& call = b.history.calls[open[fiber]];
      Alternative<typename Model::State> alternatives[kMaxAlternatives<Model>];
      int count = Model::Step(setup, reading, state, call.operation, 0, alternatives);
      // What no caller may do becomes something harmless.
      if (count == 0) {
        call.operation = MakeOperation(setup.family == Family::kDeviceQueue ? Op::kQueueRemoveEntry
                                       : setup.family == Family::kStartIo   ? Op::kSetAttributes
                                                                            : Op::kHoldCancelLock);
        count = Model::Step(setup, reading, state, call.operation, 0, alternatives);
      }
      int chosen = random->Below(count);
      if (alternatives[chosen].needs_cancel) chosen = 0;
      TraceStep steps[Trace::kMaxSteps];
      const int length = UnpackTrace(alternatives[chosen].trace, steps);
      std::string letters;
      for (int i = 0; i < length; ++i) {
        letters += kCallbackLetters[static_cast<int>(steps[i].kind)];
        if (steps[i].item != kNoItem) letters += static_cast<char>('0' + steps[i].item);
        letters += ' ';
      }
      b.Callbacks(open[fiber], letters);
      call.effect = ++b.history.sequence;
      outcomes[fiber] = alternatives[chosen].outcome.value;
      state = alternatives[chosen].next;
      effective[fiber] = true;
    } else {
      b.End(open[fiber], outcomes[fiber]);
      open[fiber] = -1;
    }
  }
  return b.history;
}

// One small lie about a call.
void Spoil(History* history, Random* random) {
  Call& call = history->calls[random->Below(history->call_count)];
  switch (random->Below(6)) {
    case 0:
      call.outcome.value = random->Below(4) - 1;
      break;
    case 1:
      std::swap(call.outcome, history->calls[random->Below(history->call_count)].outcome);
      break;
    case 2:
      call.begin = static_cast<uint32_t>(random->Below(static_cast<int>(call.end)));
      break;
    case 3:
      call.end = call.begin + 1 + static_cast<uint32_t>(random->Below(8));
      break;
    case 4:
      if (history->event_count != 0) {
        history->events[random->Below(history->event_count)].item =
            static_cast<uint8_t>(random->Below(3));
      }
      break;
    case 5:
      call.returned = false;
      break;
  }
}

template <class Model>
void CompareWithAllOrders(const Setup& setup, Reading reading, int cases, uint64_t seed) {
  Random random(seed);
  int accepted = 0;
  int rejected = 0;
  for (int i = 0; i < cases; ++i) {
    History history = RandomHistory<Model>(setup, reading, 3 + random.Below(4), &random);
    if (history.call_count == 0) continue;
    const bool genuine = random.Below(4) == 0;
    {
      Subject<Model> subject(history, reading);
      // With one alternative per outcome the first guess is the right one.
      if (reading == Reading::kOwn) {
        ASSERT_TRUE(subject.ByEffect()) << "a genuine history, case " << i;
      }
      if (genuine) {
        ASSERT_EQ(subject.Search(), SearchResult::kFound) << "case " << i;
        continue;
      }
    }
    for (int lies = 1 + random.Below(3); lies > 0; --lies) Spoil(&history, &random);
    for (bool with_traces : {true, false}) {
      Subject<Model> subject(history, reading);
      const bool expected =
          SomeOrderWorks<Model>(history, subject, with_traces, Model::Initial(setup), 0);
      const SearchResult result = subject.Search(with_traces);
      ASSERT_EQ(result, expected ? SearchResult::kFound : SearchResult::kNone) << "case " << i;
      if (with_traces && !expected) {
        ASSERT_FALSE(subject.ByEffect()) << "case " << i;
      }
      (expected ? accepted : rejected) += 1;
    }
  }
  // A comparison in which one answer is rare compares little.
  EXPECT_GT(accepted, cases / 20);
  EXPECT_GT(rejected, cases / 20);
}

constexpr int kCases = 4000;

TEST(LinearizabilityTest, AgreesWithAllOrdersOnCancelSafeQueues) {
  cancelsafe::Setup setup;
  CompareWithAllOrders<CsqModel>(setup, Reading::kOwn, kCases, 1);
  setup.ex = true;
  setup.failing_insert = 2;
  setup.cancelling_insert = 1;
  setup.insert = InsertPolicy::kSorted;
  CompareWithAllOrders<CsqModel>(setup, Reading::kOwn, kCases, 2);
  CompareWithAllOrders<CsqModel>(setup, Reading::kPortable, kCases, 3);
}

TEST(LinearizabilityTest, AgreesWithAllOrdersOnCallbackDataQueues) {
  cancelsafe::Setup setup;
  setup.family = Family::kCallbackDataQueue;
  setup.ex = true;
  CompareWithAllOrders<CallbackDataQueueModel>(setup, Reading::kOwn, kCases, 4);
  CompareWithAllOrders<CallbackDataQueueModel>(setup, Reading::kPortable, kCases, 5);
}

TEST(LinearizabilityTest, AgreesWithAllOrdersOnDeviceQueues) {
  cancelsafe::Setup setup;
  setup.family = Family::kDeviceQueue;
  CompareWithAllOrders<DeviceQueueModel>(setup, Reading::kOwn, kCases, 6);
  CompareWithAllOrders<DeviceQueueModel>(setup, Reading::kPortable, kCases, 7);
  setup.two_queues = true;
  CompareWithAllOrders<DeviceQueueModel>(setup, Reading::kOwn, kCases, 10);
}

TEST(LinearizabilityTest, AgreesWithAllOrdersOnStartIo) {
  cancelsafe::Setup setup;
  setup.family = Family::kStartIo;
  CompareWithAllOrders<StartIoModel>(setup, Reading::kOwn, kCases, 8);
  CompareWithAllOrders<StartIoModel>(setup, Reading::kPortable, kCases, 9);
}

Operation Insert(uint8_t item) { return MakeOperation(Op::kInsert, item); }
Operation Next() { return MakeOperation(Op::kRemoveNext); }
Operation Cancel(uint8_t item) { return MakeOperation(Op::kCancel, item); }

TEST(LinearizabilityTest, OverlappingInsertsMayTakeEitherOrder) {
  for (int first : {1, 2}) {
    HistoryBuilder b{cancelsafe::Setup()};
    const int one = b.Begin(0, Insert(1));
    const int two = b.Begin(1, Insert(2));
    b.Callbacks(one, "A I1 U");
    b.Callbacks(two, "A I2 U");
    b.End(one, 0);
    b.End(two, 0);
    b.Add(0, Next(), first == 1 ? "A P1 R1 U" : "A P2 R2 U", first);
    Subject<CsqModel> subject(b.history);
    EXPECT_EQ(subject.ByEffect(), first == 1);
    EXPECT_EQ(subject.Search(), SearchResult::kFound);
  }
}

TEST(LinearizabilityTest, CallsOneAfterTheOtherMayNot) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Add(1, Insert(2), "A I2 U", 0);
  b.Add(0, Next(), "A P2 R2 U", 2);
  Subject<CsqModel> subject(b.history);
  EXPECT_EQ(subject.Search(), SearchResult::kNone);
  EXPECT_EQ(subject.search.longest().length, 2);
  EXPECT_EQ(subject.Search(false), SearchResult::kNone);
}

TEST(LinearizabilityTest, APeekMaySkipOnlyWhatIsBeingCancelled) {
  for (bool overlapping : {true, false}) {
    HistoryBuilder b{cancelsafe::Setup()};
    b.Add(0, Insert(1), "A I1 U", 0);
    b.Add(0, Insert(2), "A I2 U", 0);
    int cancel = -1;
    if (overlapping) cancel = b.Begin(1, Cancel(1));
    b.Add(0, Next(), "A P1 P2>1 R2 U", 2);
    if (!overlapping) cancel = b.Begin(1, Cancel(1));
    b.Callbacks(cancel, "A R1 U C1");
    b.End(cancel, 1);
    EXPECT_EQ(Judge<CsqModel>(b.history), overlapping ? SearchResult::kFound : SearchResult::kNone);
  }
}

TEST(LinearizabilityTest, ASearchThatDoesNotAdvanceIsNoSkip) {
  for (const char* callbacks : {"A P1 P2 R2 U", "A P1 P1>1 P2>1 R2 U", "A P1 P-", "A P2>1 R2 U"}) {
    HistoryBuilder b{cancelsafe::Setup()};
    b.Add(0, Insert(1), "A I1 U", 0);
    b.Add(0, Insert(2), "A I2 U", 0);
    const int cancel = b.Begin(1, Cancel(1));
    b.Add(0, Next(), callbacks, 2);
    b.Callbacks(cancel, "A R1 U C1");
    b.End(cancel, 1);
    EXPECT_EQ(Judge<CsqModel>(b.history), SearchResult::kNone) << callbacks;
  }
}

TEST(LinearizabilityTest, ACancelThatWasRefusedMeansTheIrpWasNotQueued) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Add(1, Cancel(1), "", 0);
  b.Add(0, Next(), "A P1 R1 U", 1);
  EXPECT_EQ(Judge<CsqModel>(b.history), SearchResult::kNone);
}

TEST(LinearizabilityTest, ACallThatNeverReturnedMayOrMayNotHaveTakenEffect) {
  for (bool seen : {true, false}) {
    HistoryBuilder b{cancelsafe::Setup()};
    b.Begin(0, Insert(1));
    b.Add(1, Next(), seen ? "A P1 R1 U" : "A P- U", seen ? 1 : kNothing);
    EXPECT_EQ(Judge<CsqModel>(b.history), SearchResult::kFound);
  }
}

TEST(LinearizabilityTest, OfTwoCancelsOneMayTakeWhatACancelledInsertGivesUp) {
  for (bool overlapping : {true, false}) {
    HistoryBuilder b{cancelsafe::Setup()};
    b.Add(1, Cancel(1), "", 0);
    const int insert = b.Begin(0, Insert(1));
    b.Callbacks(insert, "A I1 U");
    if (!overlapping) b.End(insert, 0);
    b.Add(1, Cancel(1), "A R1 U C1", 1);
    if (overlapping) b.End(insert, 0);
    EXPECT_EQ(Judge<CsqModel>(b.history), overlapping ? SearchResult::kFound : SearchResult::kNone);
  }
}

TEST(LinearizabilityTest, ABudgetThatRunsOutIsNoAnswer) {
  HistoryBuilder b{cancelsafe::Setup()};
  int calls[8];
  for (int i = 0; i < 8; ++i) calls[i] = b.Begin(i % 4, Insert(static_cast<uint8_t>(i)));
  for (int i = 0; i < 8; ++i) {
    b.Callbacks(calls[i], "A I" + std::to_string(i) + " U");
    b.End(calls[i], 0);
  }
  b.Add(0, Next(), "A P- U", kNothing);
  Subject<CsqModel> subject(b.history);
  EXPECT_EQ(subject.search.Search(true, 1000), SearchResult::kOutOfBudget);
  EXPECT_EQ(subject.search.Search(true, 10000000), SearchResult::kNone);
}

}  // namespace
}  // namespace cancelsafe
