// See mutate_schedule.h.
#include "fuzzers/program/mutate_schedule.h"

#include <algorithm>

#include "fuzzers/program/generate.h"
#include "fuzzers/program/schedule_form.h"

namespace cancelsafe {

using schedule::Kind;
using schedule::Schedule;

bool ChangeScheduler(Random* random, int fibers, Schedule* schedule) {
  switch (random->Below(4)) {
    case 0:
      RandomSchedule(random, fibers, schedule);
      break;
    case 1:
      schedule->kind = static_cast<Kind>(random->Below(schedule::kKindCount));
      break;
    case 2:
      schedule->parameter = static_cast<uint8_t>(random->Below(random->OneIn(2) ? 8 : 256));
      break;
    default:
      schedule->seed = static_cast<uint32_t>(random->Next());
      return schedule->kind != Kind::kChoices;
  }
  return true;
}

bool AddChoices(Random* random, int fibers, Schedule* schedule) {
  if (schedule->choice_count >= kMaxEncodedChoices) return false;
  for (int i = random->OneIn(3) ? 2 : 1; i > 0 && schedule->choice_count < kMaxEncodedChoices;
       --i) {
    int step = RandomStep(random);
    // Beside another choice: there and back.
    if (schedule->choice_count > 0 && random->OneIn(2)) {
      step = schedule->choices[random->Below(schedule->choice_count)].step + random->Between(-3, 8);
    }
    schedule->choices[schedule->choice_count++] = {
        static_cast<uint16_t>(std::clamp(step, 0, 0xffff)),
        static_cast<uint8_t>(random->Below(std::max(fibers, schedule::kMaxFibers)))};
  }
  return true;
}

bool RemoveChoice(Random* random, int, Schedule* schedule) {
  if (schedule->choice_count == 0) return false;
  const int index = random->Below(schedule->choice_count);
  const int tail = schedule->choice_count - index - 1;
  std::copy_n(schedule->choices + index + 1, tail, schedule->choices + index);
  --schedule->choice_count;
  return true;
}

// One choice, or it and all later ones, earlier or later; or another fiber.
bool ShiftChoices(Random* random, int fibers, Schedule* schedule) {
  if (schedule->choice_count == 0) return false;
  const int first = random->Below(schedule->choice_count);
  if (random->OneIn(4)) {
    schedule->choices[first].fiber = static_cast<uint8_t>(random->Below(fibers));
    return true;
  }
  const int last = random->OneIn(2) ? first + 1 : schedule->choice_count;
  const int distance = random->OneIn(2) ? random->Between(-2, 2) : random->Between(-12, 12);
  for (int i = first; i < last; ++i) {
    const int step = std::clamp(schedule->choices[i].step + distance, 0, 0xffff);
    schedule->choices[i].step = static_cast<uint16_t>(step);
  }
  return distance != 0;
}

// Most choices of a run are among the first, and are reads.
void ChangeStaleChoices(Random* random, Schedule* schedule) {
  const bool any = schedule->stale_count > 0;
  if (any && random->OneIn(3)) {
    const int index = random->Below(schedule->stale_count);
    std::copy(schedule->stale + index + 1, schedule->stale + schedule->stale_count,
              schedule->stale + index);
    --schedule->stale_count;
  } else if (any && (random->OneIn(2) || schedule->stale_count == schedule::kMaxStaleChoices)) {
    schedule::StaleChoice& choice = schedule->stale[random->Below(schedule->stale_count)];
    choice.number =
        static_cast<uint16_t>(std::clamp(choice.number + random->Between(-4, 4), 0, 0xffff));
    choice.alternatives = 0;
  } else {
    const int kind = random->Below(random->OneIn(4) ? schedule::kStaleKindCount : 2);
    schedule->stale[schedule->stale_count++] = {
        static_cast<uint16_t>(random->Below(1 << random->Between(2, 7))),
        static_cast<uint8_t>(kind), static_cast<uint8_t>(random->OneIn(4) ? 2 : 1), 0};
  }
}

}  // namespace cancelsafe
