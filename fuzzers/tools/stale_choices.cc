// See stale_choices.h.
#include "fuzzers/tools/stale_choices.h"

#include <vector>

namespace cancelsafe {

bool ForEachStaleChoice(const Runner& runner, Program* program, const std::function<bool()>& each) {
  // Copies: each run overwrites them.
  const schedule::Schedule base = runner.output().schedule.executed;
  const memory::ScheduledChoices& choices = runner.memory_choices();
  std::vector<memory::ScheduledChoices::Asked> asked;
  for (int i = 0; i < choices.asked_count(); ++i) asked.push_back(choices.asked(i));
  for (size_t number = 0; number < asked.size(); ++number) {
    for (int index = 1; index < asked[number].alternatives; ++index) {
      program->schedule = base;
      program->schedule.stale_count = 1;
      program->schedule.stale[0] = {static_cast<uint16_t>(number), asked[number].kind,
                                    static_cast<uint8_t>(index), asked[number].alternatives};
      if (!each()) return false;
    }
  }
  return true;
}

}  // namespace cancelsafe
