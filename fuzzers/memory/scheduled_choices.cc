// See scheduled_choices.h.
#include "fuzzers/memory/scheduled_choices.h"

namespace cancelsafe::memory {
namespace {

// Of the runs of a random scheduler, these take no other alternative than 0, so that what
// needs none is not blurred.
constexpr int kPlainRunsPercent = 25;
// These take one, somewhere: nearly every weak outcome needs no more. The others take
// some here and there.
constexpr int kSingleRunsPercent = 50;
constexpr int kSingleNumberBitsMin = 2;
constexpr int kSingleNumberBitsMax = 7;
constexpr uint8_t kChances[] = {128, 32, 8};

// Schedules name the kinds by their numbers.
static_assert(static_cast<int>(ChoiceKind::kFlush) == schedule::kStaleKindCount - 1);

constexpr uint64_t kOwnNumbers = 0x6d656d6f7279;  // not those that drive the fibers

}  // namespace

Model ModelOf(schedule::MemoryModel model) {
  switch (model) {
    case schedule::MemoryModel::kSc:
      return Model::kSc;
    case schedule::MemoryModel::kTso:
      return Model::kTso;
    case schedule::MemoryModel::kUnnamed:
    case schedule::MemoryModel::kRc11:
      return Model::kRc11;
  }
  __builtin_unreachable();
}

schedule::MemoryModel NameOf(Model model) {
  return model == Model::kSc    ? schedule::MemoryModel::kSc
         : model == Model::kTso ? schedule::MemoryModel::kTso
                                : schedule::MemoryModel::kRc11;
}

void ScheduledChoices::Start(const schedule::Schedule& schedule) {
  listed_ = schedule.stale;
  listed_count_ = schedule.stale_count;
  next_ = 0;
  number_ = 0;
  diverged_ = false;
  cut_short_ = false;
  made_count_ = 0;
  only_ = -1;
  chance_ = 0;
  if (schedule.kind == schedule::Kind::kChoices) return;
  random_ = Random(schedule.seed ^ kOwnNumbers);
  const int percent = random_.Below(100);
  if (percent < kPlainRunsPercent) return;
  if (percent < kPlainRunsPercent + kSingleRunsPercent) {
    only_ = random_.Below(1 << random_.Between(kSingleNumberBitsMin, kSingleNumberBitsMax));
  } else {
    chance_ = kChances[random_.Below(sizeof(kChances))];
  }
}

// Newer ones are more likely.
int ScheduledChoices::TakeRandom(int alternatives) {
  int index = 1;
  while (index < alternatives - 1 && random_.OneIn(2)) ++index;
  return index;
}

int ScheduledChoices::Ask(ChoiceKind kind, int alternatives) {
  const int number = number_++;
  if (number < kMaxAsked) {
    asked_[number] = {static_cast<uint8_t>(kind), static_cast<uint8_t>(alternatives)};
  }
  return number;
}

// False, and it is not made, if it cannot be listed.
bool ScheduledChoices::Made(int number, ChoiceKind kind, int alternatives, int index) {
  if (index == 0) return true;
  if (made_count_ == schedule::kMaxStaleChoices || number > UINT16_MAX) {
    cut_short_ = true;
    return false;
  }
  made_[made_count_++] = {static_cast<uint16_t>(number), static_cast<uint8_t>(kind),
                          static_cast<uint8_t>(index), static_cast<uint8_t>(alternatives)};
  return true;
}

int ScheduledChoices::Take(ChoiceKind kind, int alternatives, Chooser* other) {
  const int number = Ask(kind, alternatives);
  if (made_count_ == schedule::kMaxStaleChoices || number > UINT16_MAX) {
    cut_short_ = true;
    return 0;
  }
  const int index = other->Choose(kind, alternatives);
  Made(number, kind, alternatives, index);
  return index;
}

int ScheduledChoices::Choose(ChoiceKind kind, int alternatives) {
  const int number = Ask(kind, alternatives);
  int index = 0;
  if (next_ < listed_count_ && listed_[next_].number <= number) {
    const schedule::StaleChoice& listed = listed_[next_++];
    const bool fits = listed.number == number && listed.kind == static_cast<uint8_t>(kind) &&
                      listed.index < alternatives &&
                      (listed.alternatives == 0 || listed.alternatives == alternatives);
    diverged_ |= !fits;
    if (fits) index = listed.index;
  } else if (number == only_) {
    index = random_.OneIn(2) ? alternatives - 1 : TakeRandom(alternatives);
  } else if (chance_ != 0 && random_.Chance(chance_)) {
    index = TakeRandom(alternatives);
  }
  return Made(number, kind, alternatives, index) ? index : 0;
}

}  // namespace cancelsafe::memory
