// See device_queue_driver.h.
#include "driver.h"

namespace cancelsafe::suite {

DeviceQueueDriver dq;

namespace {

constexpr ULONG_PTR kCanary = 0x0DDBA11;

int NumberOf(PKDEVICE_QUEUE_ENTRY entry) {
  if (entry == nullptr) return kNone;
  for (int i = 0; i < kEntries; ++i) {
    if (&dq.entries[i] == entry) return i;
  }
  Abandon("DQ-REM-01 DQ-REM-08",
          "a pointer to something other than an entry of the test was handed out");
}

// DISPATCH_LEVEL for the length of a call.
class AtDispatch {
 public:
  AtDispatch() : old_(CurrentIrql()) { SetIrql(DISPATCH_LEVEL); }
  ~AtDispatch() { SetIrql(old_); }

 private:
  KIRQL old_;
};

Text<24> KeyText(ULONG key) {
  Text<24> text;
  text.Add("key ").AddHex(key);
  return text;
}

}  // namespace

void InitQueue() {
  dq = {};
  dq.before = dq.after = kCanary;
  if (Entry().KeInitializeDeviceQueue == nullptr) {
    InitializeListHead(&dq.queue.DeviceListHead);
    return;
  }
  const int call = BeginCall("KeInitializeDeviceQueue", kNone);
  Entry().KeInitializeDeviceQueue(&dq.queue);
  EndCall(call);
  if (dq.before != kCanary || dq.after != kCanary) {
    NoteCheck(false, "DQ-INIT-07", "memory around the queue", "untouched", "written", __FILE__,
              __LINE__);
  }
}

void InitBusyQueue() {
  InitQueue();
  (void)Put(7);
}

// Behind all others, as its key is at least theirs.
BOOLEAN Put(int entry) {
  if (Entry().KeInsertDeviceQueue == nullptr) return PutByKey(entry, 0xFFFFFFFF);
  const AtDispatch raised;
  const int call = BeginCall("KeInsertDeviceQueue", entry);
  const BOOLEAN answer = Entry().KeInsertDeviceQueue(&dq.queue, &dq.entries[entry]);
  EndCall(call, answer ? "TRUE" : "FALSE");
  return answer;
}

BOOLEAN PutByKey(int entry, ULONG key) {
  const AtDispatch raised;
  const int call = BeginCall("KeInsertByKeyDeviceQueue", entry, KeyText(key).c_str());
  const BOOLEAN answer = Entry().KeInsertByKeyDeviceQueue(&dq.queue, &dq.entries[entry], key);
  EndCall(call, answer ? "TRUE" : "FALSE");
  return answer;
}

// The head, as no key is below 0.
int Take() {
  if (Entry().KeRemoveDeviceQueue == nullptr) {
    return Entry().KeRemoveByKeyDeviceQueue != nullptr ? TakeByKey(0) : TakeByKeyIfBusy(0);
  }
  const AtDispatch raised;
  const int call = BeginCall("KeRemoveDeviceQueue", kNone);
  const int answer = NumberOf(Entry().KeRemoveDeviceQueue(&dq.queue));
  EndCallItem(call, answer);
  return answer;
}

int TakeByKey(ULONG key) {
  const AtDispatch raised;
  const int call = BeginCall("KeRemoveByKeyDeviceQueue", kNone, KeyText(key).c_str());
  const int answer = NumberOf(Entry().KeRemoveByKeyDeviceQueue(&dq.queue, key));
  EndCallItem(call, answer);
  return answer;
}

int TakeByKeyIfBusy(ULONG key) {
  const AtDispatch raised;
  const int call = BeginCall("KeRemoveByKeyDeviceQueueIfBusy", kNone, KeyText(key).c_str());
  const int answer = NumberOf(Entry().KeRemoveByKeyDeviceQueueIfBusy(&dq.queue, key));
  EndCallItem(call, answer);
  return answer;
}

BOOLEAN TakeEntry(int entry) {
  const int call = BeginCall("KeRemoveEntryDeviceQueue", entry);
  const BOOLEAN answer = Entry().KeRemoveEntryDeviceQueue(&dq.queue, &dq.entries[entry]);
  EndCall(call, answer ? "TRUE" : "FALSE");
  return answer;
}

Text<32> Drained() {
  Text<32> text;
  for (int bound = 0; bound <= kEntries; ++bound) {
    const int entry = Take();
    if (entry == kNone) return text;
    if (text.size() != 0) text.Add(' ');
    text.AddNumber(entry);
  }
  Abandon("DQ-STATE-06", "more entries come out than went in");
}

bool DrainsTo(const char* entries) { return SameText(Drained().c_str(), entries); }

}  // namespace cancelsafe::suite
