// The settings of a queue and of its driver, one a row: the one place that lists them.
// Normalisation, generation, both forms of programs and minimisation walk these rows.
// What a setting does is the business of the models and of the drivers.
#ifndef CANCELSAFE_ORACLE_SETUP_TABLE_H_
#define CANCELSAFE_ORACLE_SETUP_TABLE_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "oracle/operations.h"

namespace cancelsafe {

// Where a setting stands in the text form.
enum class SetupLine : uint8_t { kQueue, kDriver };

// How it is written there.
enum class SetupForm : uint8_t {
  kWord,    // name=word
  kNumber,  // name=number
  kBare,    // the word alone; the first word may be "", which is then not written
};

// From what generated programs draw its values.
enum class SetupDraw : uint8_t {
  kAny,    // every value alike
  kEarly,  // none as often as any other; small numbers mostly
  kRare,   // the plain one but for one in sixteen
};

// Which queues have a setting: a family names the groups that it has (FamilyInfo).
enum SettingGroup : uint8_t {
  kQueueSettings = 1,       // of queues made of driver callbacks: list, lock, failing inserts
  kTwoKindSettings = 2,     // of queues that come as classic and as Ex ones
  kListSettings = 4,        // of a list that becomes a tree when it is long
  kStartIoSettings = 8,     // of a driver's StartIo
  kOperationSettings = 16,  // of operations that may have no IRP
};

struct SetupField {
  const char* name;
  SetupLine line;
  SetupForm form;
  uint8_t groups;            // SettingGroups: one of them is enough
  uint8_t max;               // the largest value
  const char* const* words;  // one for each value; null for a number
  // False where another setting leaves this one without meaning. Null: never.
  bool (*applies)(const Setup& setup);
  const char* needs;  // what to write for it to apply, where a text without that is wrong
  // Texts say it even where it has the value that they mean without it.
  bool always_written;
  SetupDraw draw;
  uint8_t offset;  // of the member, which is a single byte

  bool IsOf(Family family) const;
  bool Applies(const Setup& setup) const {
    return IsOf(setup.family) && (applies == nullptr || applies(setup));
  }
  int Get(const Setup& setup) const { return reinterpret_cast<const uint8_t*>(&setup)[offset]; }
  // Requires 0 <= value <= max.
  void Set(Setup* setup, int value) const {
    reinterpret_cast<uint8_t*>(setup)[offset] = static_cast<uint8_t>(value);
  }
};

struct SetupFields {
  const SetupField* first;
  int count;
  const SetupField* begin() const { return first; }
  const SetupField* end() const { return first + count; }
  const SetupField& operator[](int index) const { return first[index]; }
};

// One for every member but the family.
inline constexpr int kSetupFieldCount = sizeof(Setup) - 1;

// All settings. The index of a row is part of the byte form of programs. A row comes
// after those that decide whether it applies.
SetupFields AllSetupFields();

// The row with this name; null if there is none.
const SetupField* FindSetupField(const char* name);

// Brings every setting into its range, and gives the family's plain value to those
// without meaning: equal setups mean the same afterwards. Idempotent. The family has to
// be one.
void NormalizeSetup(Setup* setup);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_SETUP_TABLE_H_
