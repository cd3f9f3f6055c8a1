// See setups.h.
#include "fuzzers/worlds/setups.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "oracle/family.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

// A setting that is needed by one that needs it in its turn: ex, failing-insert, failure.
constexpr int kLongestNeed = 3;
constexpr int kHighestIrql = 2;

bool Differs(const SetupField& field, const Setup& setup, const Setup& plain) {
  return field.Applies(setup) && field.Get(setup) != field.Get(plain);
}

// Items would differ in more than one way, or be named by the driver as well; see the README.
bool MixesKinds(const Setup& setup) {
  return setup.mixed_operations &&
         (setup.peek == PeekPolicy::kByFile || setup.reentry != Reentry::kNone);
}

class Generator {
 public:
  Generator(const Scope& scope, int inserts)
      : scope_(scope), inserts_(inserts), plain_(InfoOf(scope.family).setup) {}

  std::vector<WorldSetup> All() {
    for (differences_ = 0; differences_ <= scope_.settings; ++differences_) Choose(0, plain_, 0);
    return std::move(setups_);
  }

 private:
  int LastValue(const SetupField& field) const {
    // What StartIo starts no call names, so it has nothing to cancel.
    if (std::strcmp(field.name, "start-io-calls") == 0) {
      return static_cast<int>(StartIoCall::kStartPacket);
    }
    const bool is_ordinal = std::strcmp(field.name, "failing-insert") == 0 ||
                            std::strcmp(field.name, "cancelling-insert") == 0;
    return is_ordinal ? std::min<int>(inserts_, field.max) : field.max;
  }

  // The settings before `index` are chosen, `changed` of them not as in the plain queue.
  void Choose(int index, const Setup& setup, int changed) {
    if (changed > kLongestNeed * differences_) return;
    if (index == kSetupFieldCount) {
      if (!MixesKinds(setup)) Add(setup);
      return;
    }
    const SetupField& field = AllSetupFields()[index];
    Choose(index + 1, setup, changed);
    if (!field.Applies(setup) || !IsTried(field.name)) return;
    const int plain = field.Get(plain_);
    for (int value = 0; value <= LastValue(field); ++value) {
      if (value == plain) continue;
      Setup other = setup;
      field.Set(&other, value);
      Choose(index + 1, other, changed + 1);
    }
  }

  void Add(Setup setup) {
    // No call of a program names it: a world has fewer items.
    if (setup.start_io_calls != StartIoCall::kNothing) setup.start_io_item = kFewItems - 1;
    for (int irql = 0; irql <= kHighestIrql; ++irql) {
      if (Differences(setup, irql) != differences_) continue;
      setups_.push_back({setup, static_cast<uint8_t>(irql), differences_});
    }
  }

  const Scope scope_;
  const int inserts_;
  const Setup plain_;
  int differences_ = 0;  // of the setups that are looked for
  std::vector<WorldSetup> setups_;
};

}  // namespace

bool IsTried(const char* setting) {
  for (const char* const fixed : {"reentry-item", "start-key", "items", "start-io-item"}) {
    if (std::strcmp(setting, fixed) == 0) return false;
  }
  return true;
}

bool ParityCounts(const Setup& setup) {
  return setup.start_io == StartIoStyle::kFinishOdd || setup.mixed_operations;
}

int Differences(const Setup& setup, int irql) {
  const Setup& plain = InfoOf(setup.family).setup;
  int count = irql == 0 ? 0 : 1;
  for (const SetupField& field : AllSetupFields()) {
    if (!IsTried(field.name) || !Differs(field, setup, plain)) continue;
    Setup without = setup;
    field.Set(&without, field.Get(plain));
    bool is_needed = false;
    for (const SetupField& other : AllSetupFields()) {
      is_needed |= &other != &field && IsTried(other.name) && Differs(other, setup, plain) &&
                   !other.Applies(without);
    }
    if (!is_needed) ++count;
  }
  return count;
}

std::vector<WorldSetup> SetupsWithin(const Scope& scope, int inserts) {
  return Generator(scope, inserts).All();
}

}  // namespace cancelsafe
