// See recorder.h.
#include "fuzzers/run/recorder.h"

#include "fuzzers/memory/runtime.h"

namespace cancelsafe {

void Recorder::Reset(const Setup& setup, int fibers) {
  history_.Reset(setup, fibers);
  for (Open& open : open_) open.depth = 0;
}

int Recorder::Begin(const Operation& operation, uint8_t generation) {
  const int fiber = Machine::fiber();
  Open& open = open_[fiber];
  // A full history is reported as such; the run itself goes on unharmed.
  if (history_.call_count == kMaxCalls || open.depth == kMaxDepth) {
    history_.truncated = true;
    return kNoCall;
  }
  if (memory::kHooked) memory::BeginCall();
  schedule::Executor::Get().NoteCall(true);
  const int index = history_.call_count++;
  Call& call = history_.calls[index];
  const KiProcessor& processor = Machine::processor_of(fiber);
  call.operation = operation;
  call.fiber = static_cast<uint8_t>(fiber);
  call.parent = open.depth == 0 ? kNoCall : open.call[open.depth - 1];
  call.generation = generation;
  call.irql_before = processor.irql;
  call.irql_after = 0;
  call.locks_before = processor.held_count;
  call.locks_after = 0;
  call.returned = false;
  call.outcome.value = 0;
  call.item_state = 0xffff;
  call.begin = ++history_.sequence;
  call.end = 0;
  call.effect = 0;
  open.call[open.depth++] = static_cast<uint8_t>(index);
  return index;
}

void Recorder::End(int index, int32_t value) {
  if (index == kNoCall) return;
  if (memory::kHooked) memory::EndCall();
  schedule::Executor::Get().NoteCall(false);
  const int fiber = Machine::fiber();
  Open& open = open_[fiber];
  Call& call = history_.calls[index];
  const KiProcessor& processor = Machine::processor_of(fiber);
  call.outcome.value = value;
  call.irql_after = processor.irql;
  call.locks_after = processor.held_count;
  call.returned = true;
  call.end = ++history_.sequence;
  if (call.effect == 0) call.effect = call.end;
  --open.depth;
}

CallbackEvent* Recorder::Event(CallbackKind kind, uint8_t item) {
  CallbackEvent* event = &spare_event_;
  if (history_.event_count < kMaxEvents) {
    event = &history_.events[history_.event_count++];
  } else {
    history_.truncated = true;
  }
  const int fiber = Machine::fiber();
  const KiProcessor& processor = Machine::processor_of(fiber);
  event->kind = kind;
  event->item = item;
  event->after = kNoItem;
  event->fiber = static_cast<uint8_t>(fiber);
  event->irql = processor.irql;
  event->call = open_call_of(fiber);
  event->snapshot = processor.cancel_lock_held ? kCancelLockHeld : 0;
  event->status = 0;
  event->sequence = ++history_.sequence;
  return event;
}

void Recorder::MarkEffect() {
  const uint8_t index = open_call();
  if (index != kNoCall) history_.calls[index].effect = ++history_.sequence;
}

}  // namespace cancelsafe
