// The device queue as a whole: two states, conservation, and the pattern of a
// supplemental queue.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kPlain[] = "KeInsertDeviceQueue ?KeInitializeDeviceQueue ?KeRemoveDeviceQueue";
constexpr char kWhole[] =
    "KeInsertDeviceQueue KeInitializeDeviceQueue KeInsertByKeyDeviceQueue KeRemoveDeviceQueue "
    "KeRemoveByKeyDeviceQueue KeRemoveEntryDeviceQueue";

// Whole numbers from a fixed seed: the same walk on every host.
unsigned state;
unsigned Random(unsigned bound) {
  state = state * 1664525u + 1013904223u;
  return (state >> 16) % bound;
}

constexpr Case kCases[] = {
    {"dq.state.transitions", kWhole, "DQ-STATE-01", kNeedsNothing,
     "Idle to busy by a refused insert, back by an empty-handed removal, and in no other way.",
     [] {
       InitQueue();
       CHECK_EQ("DQ-STATE-01", Put(0), FALSE);
       CHECK_EQ("DQ-STATE-01", Put(1), TRUE);
       CHECK_EQ("DQ-STATE-01", Take(), 1);
       CHECK_EQ("DQ-STATE-01", Take(), kNone);
       CHECK_EQ("DQ-STATE-01", PutByKey(2, 4), FALSE);
       CHECK_EQ("DQ-STATE-01", PutByKey(3, 4), TRUE);
       CHECK_EQ("DQ-STATE-01", TakeByKey(1), 3);
       CHECK_EQ("DQ-STATE-01", TakeByKey(1), kNone);
       CHECK_EQ("DQ-STATE-01", Put(4), FALSE);
     }},

    {"dq.state.idle-is-empty", kPlain, "DQ-STATE-02", kNeedsNothing,
     "A queue that is not busy holds nothing.",
     [] {
       InitBusyQueue();
       Put(0);
       CHECK("DQ-STATE-02", DrainsTo("0"));
       CHECK("DQ-STATE-02", !dq.queue.Busy);
       CHECK_EQ("DQ-STATE-02", Put(1), FALSE);
       CHECK_EQ("DQ-STATE-02", Take(), kNone);
     }},

    {"dq.state.dispatch-level", kPlain, "DQ-STATE-04", kNeedsIrql,
     "The whole cycle works at DISPATCH_LEVEL, the highest level allowed.",
     [] {
       SetIrql(DISPATCH_LEVEL);
       InitBusyQueue();
       CHECK_EQ("DQ-STATE-04", Put(0), TRUE);
       CHECK_EQ("DQ-STATE-04", Take(), 0);
       CHECK_EQ("DQ-STATE-04", Take(), kNone);
       CHECK_EQ("DQ-STATE-04", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"dq.state.nothing-else-wakes", kPlain, "DQ-STATE-05", kNeedsNothing,
     "After a refused insert all later ones queue up until a removal.",
     [] {
       InitQueue();
       CHECK_EQ("DQ-STATE-05", Put(0), FALSE);
       for (int i = 1; i < 7; ++i) CHECK_EQ("DQ-STATE-05", Put(i), TRUE);
       CHECK("DQ-STATE-05", DrainsTo("1 2 3 4 5 6"));
     }},

    {"dq.state.conservation", kWhole, "DQ-STATE-06", kNeedsNothing,
     "Over a long mixed walk every entry that was inserted comes out exactly once.",
     [] {
       state = 12345;
       InitBusyQueue();
       bool queued[kEntries] = {};
       bool right = true;
       for (int step = 0; step < 200; ++step) {
         // The call log has a bound; what a step did is checked by the model here.
         w.call_count = 0;
         const int entry = static_cast<int>(Random(7));
         switch (Random(4)) {
           case 0:
           case 1:
             if (!queued[entry]) {
               queued[entry] = (Random(2) != 0 ? Put(entry) : PutByKey(entry, Random(5))) != FALSE;
               right = right && queued[entry];
             }
             break;
           case 2: {
             // On an empty queue it may end the busy state (AMB-23).
             bool any = false;
             for (const bool in : queued) any = any || in;
             if (!any) break;
             const BOOLEAN taken = TakeEntry(entry);
             right = right && (taken != FALSE) == queued[entry];
             queued[entry] = false;
             break;
           }
           default: {
             bool any = false;
             for (const bool in : queued) any = any || in;
             if (!any) break;
             const int taken = Random(2) != 0 ? Take() : TakeByKey(Random(5));
             right = right && taken != kNone && queued[taken & 7];
             if (taken != kNone) queued[taken] = false;
           }
         }
       }
       int left = 0;
       for (const bool in : queued) left += in;
       for (; left > 0; --left) {
         const int taken = Take();
         right = right && taken != kNone && queued[taken & 7];
         if (taken != kNone) queued[taken] = false;
       }
       CHECK("DQ-STATE-06", right);
       CHECK_EQ("DQ-STATE-06", Take(), kNone);
     }},

    {"dq.state.supplemental-queue", kPlain, "DQ-STATE-07", kNeedsNothing,
     "An entry is forwarded while one comes out; NULL means idle and nothing to forward.",
     [] {
       InitQueue();
       int forwarded = Put(0) ? 0 : 1;
       Put(1);
       Put(2);
       for (int entry = Take(); entry != kNone; entry = Take()) ++forwarded;
       CHECK_EQ("DQ-STATE-07", forwarded, 3);
       CHECK_EQ("DQ-STATE-07", Put(3), FALSE);
     }},
};

}  // namespace

const CaseTable kDeviceQueueState = TableOf(kCases);

}  // namespace cancelsafe::suite
