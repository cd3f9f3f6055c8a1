// Every ambiguity of the catalogue, and what the oracle makes of it: either a history that
// another documented reading produces, which a portable judgement accepts, or the reason
// why no program can tell the readings apart.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "oracle/check.h"
#include "oracle/history_builder.h"

namespace cancelsafe {
namespace {

Setup SetupOf(Family family, bool ex = false, LockKind lock = LockKind::kSpin) {
  Setup setup;
  setup.family = family;
  setup.ex = ex || family == Family::kCallbackDataQueue;
  setup.lock = lock;
  return setup;
}

Operation Cancel(uint8_t item) { return MakeOperation(Op::kCancel, item); }
Operation Insert(uint8_t item) { return MakeOperation(Op::kInsert, item); }
Operation InsertEx(uint8_t item) { return MakeOperation(Op::kInsertEx, item, 0, kWithContext); }
Operation Next() { return MakeOperation(Op::kRemoveNext); }

// An IRP that is cancelled already goes to the completion callback without having been
// inserted.
HistoryBuilder RefusedAtOnce() {
  HistoryBuilder b(SetupOf(Family::kCsq));
  b.Add(0, Cancel(1), "", 0);
  b.Add(0, Insert(1), "A U C1 D1", 0);
  b.Add(0, Next(), "A P- U", kNothing);
  return b;
}

HistoryBuilder CancelledIsTheAnswer() {
  HistoryBuilder b(SetupOf(Family::kCsq, true));
  b.Add(0, Cancel(1), "", 0);
  b.Add(0, InsertEx(1), "A I1 R1 U C1 D1", kStatusCancelled);
  b.Add(0, Next(), "A P- U", kNothing);
  return b;
}

HistoryBuilder MarkedBeforeTheCallback() {
  HistoryBuilder b(SetupOf(Family::kCsq));
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Event(CallbackKind::kInsert).snapshot |= kPendingMarked;
  b.Add(0, Next(), "A P1 R1 U", 1);
  return b;
}

// The remover took the cancel routine while the canceller had set the flag already.
HistoryBuilder CancelledButRemoved() {
  HistoryBuilder b(SetupOf(Family::kCsq, true));
  b.Add(0, InsertEx(1), "A I1 U", 0);
  const int cancel = b.Begin(1, Cancel(1));
  const int remove = b.Add(0, MakeOperation(Op::kRemove, 1), "A R1 U", 1);
  for (int i = 0; i < b.history.event_count; ++i) {
    if (b.history.events[i].call == remove) b.history.events[i].snapshot |= kCancelFlagSet;
  }
  b.End(cancel, 0);
  return b;
}

HistoryBuilder CompletedUnderAMutex() {
  HistoryBuilder b(SetupOf(Family::kCsq, false, LockKind::kMutex));
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Add(0, Cancel(1), "A R1 U C1 D1", 1);
  b.Event(CallbackKind::kCompleteCanceled).snapshot |= kQueueLockHeld;
  b.Add(0, Next(), "A P- U", kNothing);
  return b;
}

HistoryBuilder AnyContextSlot() {
  HistoryBuilder b(SetupOf(Family::kCsq));
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Event(CallbackKind::kInsert).snapshot |= kContextSlotSet;
  b.Add(0, Next(), "A P1 R1 U", 1);
  return b;
}

HistoryBuilder KeyedInFrontOfUnkeyed() {
  HistoryBuilder b(SetupOf(Family::kDeviceQueue));
  b.Add(0, MakeOperation(Op::kQueueInsert, 0), "", 0);
  b.Add(0, MakeOperation(Op::kQueueInsert, 1), "", 1);
  b.Add(0, MakeOperation(Op::kQueueInsertByKey, 2, 5), "", 1);
  b.Add(0, MakeOperation(Op::kQueueRemove), "", 2);
  b.Add(0, MakeOperation(Op::kQueueRemove), "", 1);
  b.Add(0, MakeOperation(Op::kQueueRemove), "", kNothing);
  return b;
}

HistoryBuilder IdledByName() {
  HistoryBuilder b(SetupOf(Family::kDeviceQueue));
  b.Add(0, MakeOperation(Op::kQueueInsert, 0), "", 0);
  b.Add(0, MakeOperation(Op::kQueueRemoveEntry, 1), "", 0);
  b.Add(0, MakeOperation(Op::kQueueInsert, 2), "", 0);
  b.Add(0, MakeOperation(Op::kQueueRemove), "", kNothing);
  return b;
}

// The packet was cancelled before it is queued, and its cancel routine runs at once.
HistoryBuilder EndedWhenQueued() {
  HistoryBuilder b(SetupOf(Family::kStartIo));
  b.Add(0, MakeOperation(Op::kStartPacket, 0), "S0", 1);
  b.Add(0, Cancel(1), "", 0);
  b.Add(0, MakeOperation(Op::kStartPacket, 1, 0, kCancelable), "K1 D1", 0);
  b.Add(0, MakeOperation(Op::kStartNext, 0, 0, kCancelable), "", kNothing);
  return b;
}

// A key of 0 counts as none: behind a packet with a greater key.
HistoryBuilder KeyOfZeroAtTheTail() {
  HistoryBuilder b(SetupOf(Family::kStartIo));
  b.Add(0, MakeOperation(Op::kStartPacket, 0), "S0", 1);
  b.Add(0, MakeOperation(Op::kStartPacketByKey, 1, 5), "", 0);
  b.Add(0, MakeOperation(Op::kStartPacketByKey, 2, 0), "", 0);
  b.Add(0, MakeOperation(Op::kStartNext), "S1", 1);
  b.Add(0, MakeOperation(Op::kStartNext), "S2", 2);
  b.Add(0, MakeOperation(Op::kStartNext), "", kNothing);
  return b;
}

// Two disables need two enables.
HistoryBuilder CountedDisables() {
  HistoryBuilder b(SetupOf(Family::kCallbackDataQueue));
  b.Add(0, MakeOperation(Op::kDisable), "A U", 0);
  b.Add(0, MakeOperation(Op::kDisable), "A U", 0);
  b.Add(0, MakeOperation(Op::kEnable), "A U", 0);
  b.Add(0, InsertEx(1), "A U", kStatusCbdqDisabled);
  b.Add(0, MakeOperation(Op::kEnable), "A U", 0);
  b.Add(0, InsertEx(1), "A I1 U", 0);
  b.Add(0, Next(), "A P1 R1 U", 1);
  return b;
}

HistoryBuilder FlagWithoutLock() {
  HistoryBuilder b(SetupOf(Family::kCallbackDataQueue));
  b.Add(0, MakeOperation(Op::kDisable), "", 0);
  b.Add(0, MakeOperation(Op::kEnable), "", 0);
  b.Add(0, InsertEx(1), "A I1 U", 0);
  b.Add(0, Next(), "A P1 R1 U", 1);
  return b;
}

HistoryBuilder RefusedWithoutLock() {
  HistoryBuilder b(SetupOf(Family::kCallbackDataQueue));
  b.Add(0, MakeOperation(Op::kDisable), "A U", 0);
  b.Add(0, InsertEx(1), "", kStatusCbdqDisabled);
  return b;
}

HistoryBuilder DataRefusedAtOnce() {
  HistoryBuilder b(SetupOf(Family::kCallbackDataQueue));
  b.Add(0, Cancel(1), "", 0);
  b.Add(0, InsertEx(1), "A U C1 D1", kStatusCancelled);
  b.Add(0, Next(), "A P- U", kNothing);
  return b;
}

HistoryBuilder DataWithoutMark() {
  HistoryBuilder b(SetupOf(Family::kCallbackDataQueue));
  b.Add(0, InsertEx(1), "A I1 U", 0);
  b.Add(0, Next(), "A P1 R1 U", 1);
  for (int i = 0; i < b.history.event_count; ++i) b.history.events[i].snapshot &= ~kPendingMarked;
  b.history.calls[1].item_state = kCanariesIntact;
  return b;
}

struct Row {
  int number;
  // The other reading; null where no program tells the readings apart, for the reason in
  // `note`.
  HistoryBuilder (*other)();
  // Whether the other reading passes a judgement by our own as well.
  bool passes_own;
  const char* note;
};

constexpr Row kRows[] = {
    {1, &RefusedAtOnce, false, ""},
    {2, &CancelledIsTheAnswer, false, ""},
    {3, nullptr, false, "no page has another way for IoCsqInsertIrp on an Ex queue"},
    {4, nullptr, false, "only NT_SUCCESS agrees with all pages"},
    {5, &MarkedBeforeTheCallback, false, ""},
    {6, nullptr, false, "a removal answers NULL in all readings"},
    {7, &CancelledButRemoved, true, ""},
    {8, &CompletedUnderAMutex, false, ""},
    {9, &AnyContextSlot, true, ""},
    {10, nullptr, false, "one page is contradicted by two"},
    {11, nullptr, false, "the figure's label is contradicted by the page"},
    {12, nullptr, false, "slips of the pen"},
    {13, nullptr, false, "no program initialises a queue badly"},
    {14, nullptr, false, "the oracle has the history beside the two fields"},
    {15, nullptr, false, "a caller's choice, which programs make"},
    {16, nullptr, false, "no program frees a queue"},
    {17, nullptr, false, "not visible from outside"},
    {20, nullptr, false, "only the busy state agrees with all pages"},
    {21, &KeyedInFrontOfUnkeyed, false, ""},
    {22, nullptr, false, "no rule looks at SortKey, nor at Inserted before the queue is drained"},
    {23, &IdledByName, false, ""},
    {24, nullptr, false, "programs call at DISPATCH_LEVEL where a page wants exactly that"},
    {25, &KeyOfZeroAtTheTail, false, ""},
    {26, nullptr, false, "loose wording"},
    {27, nullptr, false, "nothing is published; the one behaviour seen is taken"},
    {28, &EndedWhenQueued, false, ""},
    {29, nullptr, false, "no rule looks at the first packet's cancel routine"},
    {30, nullptr, false, "the driver's choice, which takes today's page"},
    {31, nullptr, false, "the older page is less precise"},
    {32, nullptr, false, "no program starts the next packet of an idle device"},
    {33, nullptr, false, "no rule looks at Hint"},
    {40, &FlagWithoutLock, false, ""},
    {41, nullptr, false, "no page has another way"},
    {42, &CountedDisables, false, ""},
    {43, &RefusedWithoutLock, false, ""},
    {44, nullptr, false, "nothing is published; only the built-in implementation is asked"},
    {45, &DataRefusedAtOnce, false, ""},
    {46, nullptr, false, "only NT_SUCCESS agrees with both editions of the page"},
    {47, nullptr, false, "a removal goes to the queue that its context came from"},
    {48, nullptr, false, "no program initialises a queue badly"},
    {49, &DataWithoutMark, true, ""},
    {50, nullptr, false, "an output, whatever the annotation says"},
    {51, nullptr, false, "programs with a mutex cancel at APC_LEVEL or below"},
};

TEST(ReadingsTest, EveryAmbiguityOfTheCatalogueHasARow) {
  std::ifstream file(std::string(CANCELSAFE_ROOT) + "/conformance/ambiguities.jsonl");
  std::set<std::string> known, rows;
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find("AMB-");
    if (at != std::string::npos) known.insert(line.substr(at, line.find('"', at) - at));
  }
  for (const Row& row : kRows) {
    EXPECT_TRUE(rows.insert("AMB-" + std::to_string(row.number)).second) << row.number;
    // Either a history or a reason.
    EXPECT_NE(row.other == nullptr, row.note[0] == '\0') << row.number;
  }
  EXPECT_EQ(known, rows);
}

TEST(ReadingsTest, EveryDocumentedReadingPassesAPortableJudgement) {
  for (const Row& row : kRows) {
    if (row.other == nullptr) continue;
    const HistoryBuilder b = row.other();
    Verdict verdict;
    EXPECT_TRUE(Checker(Reading::kPortable).Check(b.history, CheckOptions(), &verdict))
        << "AMB-" << row.number << ": " << VerdictLine(verdict);
    Checker(Reading::kOwn).Check(b.history, CheckOptions(), &verdict);
    EXPECT_EQ(verdict.ok(), row.passes_own) << "AMB-" << row.number << ": " << VerdictLine(verdict);
  }
}

}  // namespace
}  // namespace cancelsafe
