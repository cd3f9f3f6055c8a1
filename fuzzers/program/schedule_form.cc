// See schedule_form.h.
#include "fuzzers/program/schedule_form.h"

#include <algorithm>

namespace cancelsafe {
namespace {

using schedule::Choice;
using schedule::Kind;
using schedule::kMaxChoices;
using schedule::kMaxStaleChoices;
using schedule::MemoryModel;
using schedule::Schedule;
using schedule::StaleChoice;

constexpr int kMemoryMask = 3;
constexpr int kStaleCountShift = 2;
static_assert(schedule::kMemoryModelCount <= kMemoryMask + 1);
// The third byte of a stale choice.
constexpr int kStaleIndexMask = 63;
static_assert(schedule::kMaxStaleIndex <= kStaleIndexMask);
constexpr int kStaleKindShift = 6;
static_assert(schedule::kStaleKindCount <= 4);

template <typename Enum>
Enum Wrap(Enum value, int count) {
  return static_cast<Enum>(static_cast<int>(value) % count);
}

// Insertion: stable without a buffer, and lists are short or nearly sorted.
template <typename T, typename Earlier>
void Sort(T* begin, T* end, const Earlier& earlier) {
  for (T* next = begin; next != end; ++next) {
    std::rotate(std::upper_bound(begin, next, *next, earlier), next, next + 1);
  }
}

void SortChoices(Schedule* schedule) {
  Choice* const begin = schedule->choices;
  Choice* const end = begin + schedule->choice_count;
  Sort(begin, end, [](Choice a, Choice b) { return a.step < b.step; });
  const auto same_step = [](Choice a, Choice b) { return a.step == b.step; };
  schedule->choice_count = static_cast<int>(std::unique(begin, end, same_step) - begin);
}

// In order, of two with one number the first, and none that says "as ever".
void NormalizeStale(Schedule* schedule) {
  StaleChoice* const begin = schedule->stale;
  schedule->stale_count = std::clamp(schedule->stale_count, 0, kMaxStaleChoices);
  StaleChoice* end = begin + schedule->stale_count;
  for (StaleChoice* choice = begin; choice != end; ++choice) {
    choice->kind %= schedule::kStaleKindCount;
    choice->index = std::min(choice->index, schedule::kMaxStaleIndex);
    if (choice->alternatives <= choice->index) choice->alternatives = 0;
  }
  end = std::remove_if(begin, end, [](StaleChoice choice) { return choice.index == 0; });
  Sort(begin, end, [](StaleChoice a, StaleChoice b) { return a.number < b.number; });
  end = std::unique(begin, end, [](StaleChoice a, StaleChoice b) { return a.number == b.number; });
  schedule->stale_count = static_cast<int>(end - begin);
}

void DecodeStaleChoices(const uint8_t* data, size_t count, Schedule* schedule) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* from = data + i * kStaleChoiceBytes;
    schedule->stale[i] = {static_cast<uint16_t>(from[0] | from[1] << 8),
                          static_cast<uint8_t>(from[2] >> kStaleKindShift),
                          static_cast<uint8_t>(from[2] & kStaleIndexMask), from[3]};
  }
  schedule->stale_count = static_cast<int>(count);
}

void EncodeStaleChoice(const StaleChoice& choice, uint8_t* to) {
  to[0] = static_cast<uint8_t>(choice.number);
  to[1] = static_cast<uint8_t>(choice.number >> 8);
  to[2] = static_cast<uint8_t>(choice.index | choice.kind << kStaleKindShift);
  to[3] = choice.alternatives;
}

void DecodeChoices(const uint8_t* data, size_t size, Schedule* schedule) {
  const int count = static_cast<int>(std::min<size_t>(size / kChoiceBytes, kMaxEncodedChoices));
  for (int i = 0; i < count; ++i) {
    const uint8_t* from = data + i * kChoiceBytes;
    schedule->choices[i] = {static_cast<uint16_t>(from[0] | from[1] << 8), from[2]};
  }
  schedule->choice_count = count;
}

}  // namespace

uint32_t Load32(const uint8_t* from) {
  return uint32_t{from[0]} | uint32_t{from[1]} << 8 | uint32_t{from[2]} << 16 |
         uint32_t{from[3]} << 24;
}

void Store32(uint32_t value, uint8_t* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

void DecodeScheduler(const uint8_t* from, Schedule* schedule) {
  schedule->kind = static_cast<Kind>(from[0]);
  schedule->parameter = from[1];
  schedule->seed = Load32(from + 2);
}

void EncodeScheduler(const Schedule& schedule, uint8_t* to) {
  to[0] = static_cast<uint8_t>(schedule.kind);
  to[1] = schedule.parameter;
  Store32(schedule.seed, to + 2);
}

MemoryModel DecodeMemory(uint8_t byte) { return static_cast<MemoryModel>(byte & kMemoryMask); }
size_t DecodeStaleCount(uint8_t byte) { return byte >> kStaleCountShift; }
uint8_t EncodeMemory(MemoryModel memory, int stale_count) {
  return static_cast<uint8_t>(static_cast<int>(memory) | stale_count << kStaleCountShift);
}

void DecodeScheduleLists(const uint8_t* data, size_t size, size_t stale_named, Schedule* schedule) {
  DecodeStaleChoices(
      data,
      std::min({stale_named, static_cast<size_t>(kMaxStaleChoices), size / kStaleChoiceBytes}),
      schedule);
  const size_t choices_at = std::min(size, stale_named * kStaleChoiceBytes);
  DecodeChoices(data + choices_at, size - choices_at, schedule);
}

ScheduleListSizes ScheduleListsIn(size_t capacity, const Schedule& schedule) {
  ScheduleListSizes sizes;
  sizes.stale = std::min(schedule.stale_count, static_cast<int>(capacity / kStaleChoiceBytes));
  capacity -= static_cast<size_t>(sizes.stale) * kStaleChoiceBytes;
  sizes.choices = std::min(
      {schedule.choice_count, kMaxEncodedChoices, static_cast<int>(capacity / kChoiceBytes)});
  return sizes;
}

uint8_t* EncodeScheduleLists(const Schedule& schedule, ScheduleListSizes sizes, uint8_t* to) {
  for (int i = 0; i < sizes.stale; ++i, to += kStaleChoiceBytes) {
    EncodeStaleChoice(schedule.stale[i], to);
  }
  for (int i = 0; i < sizes.choices; ++i, to += kChoiceBytes) {
    const Choice choice = schedule.choices[i];
    to[0] = static_cast<uint8_t>(choice.step);
    to[1] = static_cast<uint8_t>(choice.step >> 8);
    to[2] = choice.fiber;
  }
  return to;
}

void NormalizeSchedule(Schedule* schedule, int fibers) {
  if (fibers == 1) {
    schedule->kind = Kind::kChoices;
    schedule->choice_count = 0;
    // A fiber is never behind itself.
    schedule->memory = MemoryModel::kUnnamed;
    schedule->stale_count = 0;
  }
  schedule->memory = Wrap(schedule->memory, schedule::kMemoryModelCount);
  if (schedule->stale_count != 0) NormalizeStale(schedule);
  schedule->kind = Wrap(schedule->kind, schedule::kKindCount);
  if (schedule->kind == Kind::kChoices) schedule->seed = 0;
  schedule->parameter = static_cast<uint8_t>(
      schedule->parameter % schedule::kParameterCounts[static_cast<int>(schedule->kind)]);
  schedule->choice_count = std::clamp(schedule->choice_count, 0, kMaxChoices);
  bool ascending = true;
  for (int i = 0; i < schedule->choice_count; ++i) {
    Choice& choice = schedule->choices[i];
    if (choice.fiber >= fibers) choice.fiber = choice.fiber % fibers;
    ascending &= i == 0 || schedule->choices[i - 1].step < choice.step;
  }
  if (!ascending) SortChoices(schedule);
}

bool SameSchedule(const Schedule& a, const Schedule& b) {
  return a.kind == b.kind && a.parameter == b.parameter && a.seed == b.seed &&
         a.choice_count == b.choice_count &&
         std::equal(a.choices, a.choices + a.choice_count, b.choices) && a.memory == b.memory &&
         a.stale_count == b.stale_count && std::equal(a.stale, a.stale + a.stale_count, b.stale);
}

}  // namespace cancelsafe
