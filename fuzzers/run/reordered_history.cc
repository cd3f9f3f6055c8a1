// See reordered_history.h. Calls and events are kept by their times, as a recorder does.
#include "fuzzers/run/reordered_history.h"

#include <algorithm>

namespace cancelsafe {
namespace {

// Puts the last of `count` elements where its key belongs. Returns its place.
template <typename T, typename Key>
int SortIn(T* elements, int count, const Key& key) {
  int place = count - 1;
  const T last = elements[place];
  for (; place > 0 && key(elements[place - 1]) > key(last); --place) {
    elements[place] = elements[place - 1];
  }
  elements[place] = last;
  return place;
}

}  // namespace

void CopyHistory(const History& from, History* to) {
  to->Reset(from.setup, from.fibers);
  to->call_count = from.call_count;
  to->event_count = from.event_count;
  to->truncated = from.truncated;
  to->sequence = from.sequence;
  to->drain_begin = from.drain_begin;
  std::copy(from.calls, from.calls + from.call_count, to->calls);
  std::copy(from.events, from.events + from.event_count, to->events);
}

void ReorderHistory(const History& from, const std::vector<uint32_t>& times, History* to) {
  CopyHistory(from, to);
  const auto move = [&times](uint32_t* time) {
    if (*time < times.size()) *time = times[*time];
  };
  uint8_t old_call[kMaxCalls];  // by its new number
  for (int i = 0; i < to->call_count; ++i) {
    Call& call = to->calls[i];
    move(&call.begin);
    move(&call.end);
    move(&call.effect);
    const int place = SortIn(to->calls, i + 1, [](const Call& each) { return each.begin; });
    std::copy_backward(old_call + place, old_call + i, old_call + i + 1);
    old_call[place] = static_cast<uint8_t>(i);
  }
  uint8_t new_call[UINT8_MAX + 1];
  new_call[kNoCall] = kNoCall;
  for (int i = 0; i < to->call_count; ++i) new_call[old_call[i]] = static_cast<uint8_t>(i);
  for (int i = 0; i < to->call_count; ++i) {
    uint8_t& parent = to->calls[i].parent;
    parent = new_call[parent];
  }
  for (int i = 0; i < to->event_count; ++i) {
    CallbackEvent& event = to->events[i];
    move(&event.sequence);
    event.call = new_call[event.call];
    SortIn(to->events, i + 1, [](const CallbackEvent& each) { return each.sequence; });
  }
}

}  // namespace cancelsafe
