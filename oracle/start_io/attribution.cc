// See attribution.h.
#include "oracle/start_io/attribution.h"

namespace cancelsafe {
namespace {

constexpr int kFibersMax = 4;

bool StartsPacket(Op op) { return op == Op::kStartPacket || op == Op::kStartPacketByKey; }
bool StartsNext(Op op) { return op == Op::kStartNext || op == Op::kStartNextByKey; }

// The requests and callbacks of one device. Nothing is handed over between two.
class Attribution {
 public:
  Attribution(History* history, int queue)
      : history_(*history), queue_(queue), alone_(!history->setup.two_queues) {
    for (uint8_t& next : undecided_) next = kNoCall;
    Clear();
  }

  // What suffices for most histories: each StartIo was called by the request that it
  // answers, and nothing is postponed. False if there is more to it.
  bool RunPlainly() {
    if (deferred_) return false;
    for (int i = 0; i < history_.event_count; ++i) {
      const CallbackEvent& event = history_.events[i];
      if (event.kind != CallbackKind::kStartIo || !IsOfDevice(event)) continue;
      if (event.call >= history_.call_count || attributed_[event.call]) return false;
      if (!IsOfDevice(call(event.call))) return false;
      Call& open = call(event.call);
      if (StartsNext(open.operation.op)) {
        open.outcome.value = event.item;
      } else if (StartsPacket(open.operation.op) && open.operation.item == event.item) {
        if (open.returned) open.outcome.value = 1;
      } else {
        return false;
      }
      attributed_[event.call] = true;
    }
    return true;
  }

  void Run() {
    Clear();
    for (int i = 0; i < history_.event_count; ++i) {
      const CallbackEvent& event = history_.events[i];
      if (event.kind == CallbackKind::kStartIo && IsOfDevice(event)) OnStartIo(event);
    }
    AdvanceTo(UINT32_MAX);
  }

 private:
  // No request has started anything yet.
  void Clear() {
    next_start_ = 0;
    bool asked_for = false;
    for (int i = 0; i < history_.call_count; ++i) {
      Call& call = history_.calls[i];
      attributed_[i] = false;
      if (!IsOfDevice(call)) continue;
      if (StartsPacket(call.operation.op)) {
        call.outcome.value = 0;
      } else if (StartsNext(call.operation.op)) {
        call.outcome.value = call.returned ? kNothing : 0;
      } else if (call.operation.op == Op::kSetAttributes) {
        asked_for |= (call.operation.flags & kDeferred) != 0;
      }
    }
    deferred_ = asked_for && IsDeferred();
  }

  Call& call(int index) { return history_.calls[index]; }

  bool IsOfDevice(const Call& call) const { return alone_ || QueueOf(call.operation) == queue_; }
  // StartIo is called for the device that its packet was started on last. For one event after
  // the other, in their order.
  bool IsOfDevice(const CallbackEvent& event) {
    if (alone_) return true;
    for (; next_start_ < history_.call_count; ++next_start_) {
      const Call& start = call(next_start_);
      if (start.begin >= event.sequence) break;
      if (StartsPacket(start.operation.op)) {
        started_on_[start.operation.item] = static_cast<uint8_t>(QueueOf(start.operation));
      }
    }
    return (event.item < kMaxItems ? started_on_[event.item] : 0) == queue_;
  }

  // Whether requests may be postponed: what the last setting says. Which of two that
  // overlapped is in force is not known, nor is it of one that a packet overtook.
  bool IsDeferred() const {
    bool deferred = false, overlapped = false, started = false;
    uint32_t settings_end = 0;
    uint32_t first_packet = UINT32_MAX;
    for (int i = 0; i < history_.call_count; ++i) {
      const Call& packet = history_.calls[i];
      if (!IsOfDevice(packet)) continue;
      if (!started && StartsPacket(packet.operation.op)) first_packet = packet.begin;
      started |= StartsPacket(packet.operation.op);
    }
    for (int i = 0; i < history_.call_count; ++i) {
      const Call& setting = history_.calls[i];
      if (setting.operation.op != Op::kSetAttributes || !IsOfDevice(setting)) continue;
      const bool says = (setting.operation.flags & kDeferred) != 0;
      const uint32_t end = setting.returned ? setting.end : UINT32_MAX;
      overlapped |= setting.begin < settings_end || end >= first_packet;
      deferred = says || (overlapped && deferred);
      if (end > settings_end) settings_end = end;
    }
    return deferred;
  }

  // Begins and ends of calls up to this position.
  void AdvanceTo(uint32_t sequence) {
    while (next_call_ < history_.call_count && call(next_call_).begin < sequence) {
      const Call& begun = call(next_call_);
      EndCallsBefore(begun.begin);
      if (StartsNext(begun.operation.op) && IsOfDevice(begun) && begun.fiber < kFibersMax) {
        undecided_[begun.fiber] = next_call_;
      }
      ++next_call_;
    }
    EndCallsBefore(sequence);
  }

  // With DeferredStartIo another call may carry out later what a call that has ended did
  // not: the last such request waits.
  void EndCallsBefore(uint32_t sequence) {
    for (;;) {
      uint8_t* first = nullptr;
      for (uint8_t& next : undecided_) {
        if (next == kNoCall || !call(next).returned || call(next).end >= sequence) continue;
        if (first == nullptr || call(next).end < call(*first).end) first = &next;
      }
      if (first == nullptr) break;
      if (deferred_) {
        // Nothing was left to do for what waited when the queue began to be emptied.
        CloseAtDrain(call(*first).end);
        postponed_ = *first;
      }
      *first = kNoCall;
    }
    CloseAtDrain(sequence);
  }

  void CloseAtDrain(uint32_t sequence) {
    if (history_.drain_begin != 0 && history_.drain_begin <= sequence && !drained_) {
      drained_ = true;
      Postponed(history_.drain_begin - 1);
    }
  }

  // The postponed request ends here.
  void Postponed(uint32_t sequence) {
    if (postponed_ == kNoCall) return;
    call(postponed_).end = call(postponed_).effect = sequence;
    postponed_ = kNoCall;
  }

  void OnStartIo(const CallbackEvent& event) {
    AdvanceTo(event.sequence);
    const uint8_t open = event.call;
    if (open < history_.call_count && !attributed_[open] && IsOfDevice(call(open))) {
      const Operation& operation = call(open).operation;
      if (StartsPacket(operation.op) && operation.item == event.item) {
        // The device was idle: no request to start the next packet is undecided.
        Postponed(event.sequence);
        for (uint8_t& next : undecided_) next = kNoCall;
        attributed_[open] = true;
        if (call(open).returned) call(open).outcome.value = 1;
        return;
      }
      if (StartsNext(operation.op)) {
        Attribute(open, event.item);
        if (event.fiber < kFibersMax) undecided_[event.fiber] = kNoCall;
        return;
      }
    }
    if (postponed_ != kNoCall) {
      Attribute(postponed_, event.item);
      Postponed(event.sequence);
      return;
    }
    // Handed over by a call that has not returned yet; or out of nowhere, which the model
    // will not accept.
    for (uint8_t& next : undecided_) {
      if (next == kNoCall) continue;
      Attribute(next, event.item);
      next = kNoCall;
      return;
    }
  }

  void Attribute(uint8_t index, uint8_t item) {
    attributed_[index] = true;
    call(index).outcome.value = item;
  }

  History& history_;
  const int queue_;
  const bool alone_;  // the program has one device
  int next_start_ = 0;
  uint8_t started_on_[kMaxItems] = {};  // by item: where it was started last, before that call
  int next_call_ = 0;
  bool deferred_ = false;
  bool drained_ = false;
  uint8_t undecided_[kFibersMax];  // by fiber: its open request without a result
  uint8_t postponed_ = kNoCall;    // the last that returned without a result, if deferred
  bool attributed_[kMaxCalls];
};

}  // namespace

void AttributeStarts(History* history) {
  for (int queue = 0; queue < QueuesOf(history->setup); ++queue) {
    Attribution attribution(history, queue);
    if (!attribution.RunPlainly()) attribution.Run();
  }
}

}  // namespace cancelsafe
