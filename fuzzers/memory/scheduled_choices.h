// The choices of one run as a part of its schedule: listed ones, else those of a seed,
// else alternative 0; and those that were made, as a list that replays them.
#ifndef CANCELSAFE_FUZZERS_MEMORY_SCHEDULED_CHOICES_H_
#define CANCELSAFE_FUZZERS_MEMORY_SCHEDULED_CHOICES_H_

#include <cstdint>

#include "base/random.h"
#include "fuzzers/memory/choices.h"
#include "fuzzers/memory/order.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::memory {

// A schedule's word for a model, and back. Unnamed is rc11, the widest.
Model ModelOf(schedule::MemoryModel model);
schedule::MemoryModel NameOf(Model model);

class ScheduledChoices final : public Chooser {
 public:
  // A new run. The list of the schedule applies wherever it has an entry. Elsewhere a
  // schedule whose fibers are driven by random numbers has random choices too, from its
  // seed; one of listed choices has none.
  void Start(const schedule::Schedule& schedule);

  int Choose(ChoiceKind kind, int alternatives) override;
  // Likewise, but as `other` says, which is not asked beyond what a schedule can list.
  int Take(ChoiceKind kind, int alternatives, Chooser* other);
  // Whether something else than alternative 0 would have been taken, or might have, if a
  // schedule could list more.
  bool cut_short() const { return cut_short_; }

  // What was not alternative 0, in order. Never more than a schedule can list: from then
  // on alternative 0 is taken.
  const schedule::StaleChoice* made() const { return made_; }
  int made_count() const { return made_count_; }
  // The run's choices, as far as they are kept: what else could have been taken.
  static constexpr int kMaxAsked = 512;
  struct Asked {
    uint8_t kind;
    uint8_t alternatives;
  };
  int asked_count() const { return number_ < kMaxAsked ? number_ : kMaxAsked; }
  Asked asked(int number) const { return asked_[number]; }
  // Whether a listed choice met another kind or number of alternatives than was recorded,
  // or none at all: the list belongs to another run.
  bool diverged() const { return diverged_ || next_ != listed_count_; }

 private:
  int TakeRandom(int alternatives);
  // The number of the next choice, which is noted as asked.
  int Ask(ChoiceKind kind, int alternatives);
  bool Made(int number, ChoiceKind kind, int alternatives, int index);

  const schedule::StaleChoice* listed_ = nullptr;
  int listed_count_ = 0;
  int next_ = 0;
  int number_ = 0;  // choices so far
  bool diverged_ = false;
  bool cut_short_ = false;
  Random random_;
  int only_ = -1;       // the one choice that is random, or -1
  uint8_t chance_ = 0;  // of 256, that a choice is random
  Asked asked_[kMaxAsked];
  int made_count_ = 0;
  schedule::StaleChoice made_[schedule::kMaxStaleChoices];
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_SCHEDULED_CHOICES_H_
