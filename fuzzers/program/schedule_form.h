// The schedule of a program in the byte form, and what it means for two schedules to be the
// same. Programs for queues and for drivers share this; what comes before the schedule is
// theirs (bytes.h, drivers/program/driver_bytes.h).
//
// Multi-byte numbers are little-endian. A schedule has three parts, in places that the program
// chooses: the scheduler (6 bytes), one byte with the model of memory in bits 0-1 and the
// number of stale choices in bits 2-7, and the lists: stale choices, then choices up to the end.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_SCHEDULE_FORM_H_
#define CANCELSAFE_FUZZERS_PROGRAM_SCHEDULE_FORM_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

inline constexpr size_t kSchedulerBytes = 6;    // kind, parameter, seed (4 bytes)
inline constexpr size_t kStaleChoiceBytes = 4;  // number (2), index | kind << 6, alternatives
inline constexpr size_t kChoiceBytes = 3;       // step (2 bytes), fiber
// The byte form is what fuzz engines mutate: it holds the first 192 choices of a
// program. Whole lists, as long as a run can make them, are kept in the text form.
inline constexpr int kMaxEncodedChoices = 192;
inline constexpr size_t kMaxScheduleListBytes =
    schedule::kMaxStaleChoices * kStaleChoiceBytes + kMaxEncodedChoices * kChoiceBytes;

uint32_t Load32(const uint8_t* from);
void Store32(uint32_t value, uint8_t* to);

// Enumerators out of range are left to NormalizeSchedule.
void DecodeScheduler(const uint8_t* from, schedule::Schedule* schedule);
void EncodeScheduler(const schedule::Schedule& schedule, uint8_t* to);

schedule::MemoryModel DecodeMemory(uint8_t byte);
size_t DecodeStaleCount(uint8_t byte);
uint8_t EncodeMemory(schedule::MemoryModel memory, int stale_count);

// The lists from `size` bytes, which say `stale_named` stale choices first. O(size), reads at
// most kMaxScheduleListBytes behind the stale choices that there is no room for.
void DecodeScheduleLists(const uint8_t* data, size_t size, size_t stale_named,
                         schedule::Schedule* schedule);

// How much of the lists fits into `capacity` bytes: stale choices first.
struct ScheduleListSizes {
  int stale = 0;
  int choices = 0;
};
ScheduleListSizes ScheduleListsIn(size_t capacity, const schedule::Schedule& schedule);
// Returns the end of what was written.
uint8_t* EncodeScheduleLists(const schedule::Schedule& schedule, ScheduleListSizes sizes,
                             uint8_t* to);

// Brings every member into its range for a run of `fibers` fibers, and sorts the lists (of two
// choices with one step the first stays). Idempotent; allocates nothing.
void NormalizeSchedule(schedule::Schedule* schedule, int fibers);

// Whether two normalized schedules are the same.
bool SameSchedule(const schedule::Schedule& a, const schedule::Schedule& b);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_SCHEDULE_FORM_H_
