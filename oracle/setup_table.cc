// The table of settings, see setup_table.h.
#include "oracle/setup_table.h"

#include <cstddef>
#include <iterator>

#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr uint8_t kAll = 0xff;

constexpr const char* kKinds[] = {"classic", "ex"};
constexpr const char* kInserts[] = {"tail", "head", "sorted"};
constexpr const char* kPeeks[] = {"any", "by-file", "by-key"};
constexpr const char* kLocks[] = {"spin", "mutex"};
constexpr const char* kStatuses[] = {"success", "pending", "informational"};
constexpr const char* kReentries[] = {"none", "remove-next", "insert", "cancel"};
constexpr const char* kStartIoStyles[] = {"pend", "finish-inside", "finish-odd"};
constexpr const char* kStartByKey[] = {"", "start-by-key"};
constexpr const char* kTokens[] = {"irql", "random"};
constexpr const char* kSlots[] = {"clean", "dirty"};
constexpr const char* kContexts[] = {"kept", "freed"};
constexpr const char* kIrps[] = {"fresh", "reused"};
constexpr const char* kMemories[] = {"fresh", "used"};
constexpr const char* kQueueCounts[] = {"one", "two"};
constexpr const char* kItems[] = {"few", "many"};
constexpr const char* kListMaxWords[] = {"2", "0", "1", "5", "16", "48"};
static_assert(std::size(kListMaxWords) == std::size(kListMaxes), "a word for each");
constexpr const char* kFailures[] = {"error", "warning"};
constexpr const char* kIrpStates[] = {"plain", "filled"};
constexpr const char* kInsideSets[] = {"nothing", "deferred"};
constexpr const char* kOperations[] = {"irp", "mixed"};

constexpr const char* kStartIoCalls[] = {"nothing", "start-packet", "cancel"};

bool IsEx(const Setup& setup) { return setup.ex; }
bool HasFailingInsert(const Setup& setup) { return setup.failing_insert != 0; }
bool StartsByKey(const Setup& setup) { return setup.start_by_key; }
bool CallsFromStartIo(const Setup& setup) { return setup.start_io_calls != StartIoCall::kNothing; }
bool ReentersWithItem(const Setup& setup) {
  return setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kCancel;
}

template <size_t kCount>
constexpr SetupField Word(const char* name, SetupLine line, uint8_t groups,
                          const char* const (&words)[kCount], size_t offset) {
  return {name,
          line,
          SetupForm::kWord,
          groups,
          kCount - 1,
          words,
          nullptr,
          nullptr,
          true,
          SetupDraw::kAny,
          static_cast<uint8_t>(offset)};
}

template <size_t kCount>
constexpr SetupField Bare(const char* name, SetupLine line, uint8_t groups,
                          const char* const (&words)[kCount], size_t offset) {
  SetupField field = Word(name, line, groups, words, offset);
  field.form = SetupForm::kBare;
  return field;
}

constexpr SetupField Number(const char* name, SetupLine line, uint8_t groups, uint8_t max,
                            size_t offset) {
  return {name,
          line,
          SetupForm::kNumber,
          groups,
          max,
          nullptr,
          nullptr,
          nullptr,
          false,
          SetupDraw::kAny,
          static_cast<uint8_t>(offset)};
}

constexpr SetupField If(SetupField field, bool (*applies)(const Setup&), const char* needs) {
  field.applies = applies;
  field.needs = needs;
  return field;
}

// Said by texts only where it is not the value that a text means without it.
constexpr SetupField Terse(SetupField field) {
  field.always_written = false;
  return field;
}

constexpr SetupField Always(SetupField field) {
  field.always_written = true;
  return field;
}

constexpr SetupField Early(SetupField field) {
  field.draw = SetupDraw::kEarly;
  return field;
}

constexpr SetupField Rare(SetupField field) {
  field.draw = SetupDraw::kRare;
  return field;
}

constexpr SetupLine kQueue = SetupLine::kQueue;
constexpr SetupLine kDriver = SetupLine::kDriver;

constexpr SetupField kFields[] = {
    Bare("classic or ex", kQueue, kTwoKindSettings, kKinds, offsetof(Setup, ex)),
    Word("insert", kQueue, kQueueSettings, kInserts, offsetof(Setup, insert)),
    Word("peek", kQueue, kQueueSettings, kPeeks, offsetof(Setup, peek)),
    Word("lock", kQueue, kQueueSettings, kLocks, offsetof(Setup, lock)),
    If(Word("status", kQueue, kQueueSettings, kStatuses, offsetof(Setup, insert_status)), &IsEx,
       "queue ex"),
    Early(If(Number("failing-insert", kDriver, kQueueSettings, kMaxInsertOrdinal,
                    offsetof(Setup, failing_insert)),
             &IsEx, "queue ex")),
    Early(Number("cancelling-insert", kDriver, kQueueSettings, kMaxInsertOrdinal,
                 offsetof(Setup, cancelling_insert))),
    Terse(Word("reentry", kDriver, kQueueSettings, kReentries, offsetof(Setup, reentry))),
    Always(If(Number("reentry-item", kDriver, kQueueSettings, kFewItems - 1,
                     offsetof(Setup, reentry_item)),
              &ReentersWithItem, nullptr)),
    Word("start-io", kDriver, kStartIoSettings, kStartIoStyles, offsetof(Setup, start_io)),
    Terse(Bare("start-by-key", kDriver, kStartIoSettings, kStartByKey,
               offsetof(Setup, start_by_key))),
    Terse(Word("token", kDriver, kQueueSettings, kTokens, offsetof(Setup, random_tokens))),
    Terse(Word("context-slot", kDriver, kTwoKindSettings, kSlots, offsetof(Setup, dirty_slot))),
    Terse(Word("contexts", kDriver, kQueueSettings, kContexts, offsetof(Setup, freed_contexts))),
    Terse(Word("irps", kDriver, kQueueSettings | kStartIoSettings, kIrps,
               offsetof(Setup, reused_irps))),
    Terse(Word("memory", kQueue, kAll, kMemories, offsetof(Setup, used_memory))),
    Terse(If(Word("failure", kDriver, kQueueSettings, kFailures, offsetof(Setup, warning_status)),
             &HasFailingInsert, nullptr)),
    If(Number("start-key", kDriver, kStartIoSettings, 7, offsetof(Setup, start_key)), &StartsByKey,
       "driver start-by-key"),
    Terse(Word("queues", kQueue, kQueueSettings | kListSettings | kStartIoSettings, kQueueCounts,
               offsetof(Setup, two_queues))),
    Rare(Terse(Word("items", kQueue, kAll, kItems, offsetof(Setup, many_items)))),
    Terse(Word("list-max", kQueue, kListSettings | kStartIoSettings, kListMaxWords,
               offsetof(Setup, list_max))),
    Terse(Word("irp-state", kDriver, kQueueSettings | kStartIoSettings, kIrpStates,
               offsetof(Setup, filled_irps))),
    Terse(Word("start-io-sets", kDriver, kStartIoSettings, kInsideSets,
               offsetof(Setup, defers_inside))),
    Terse(Word("operations", kDriver, kOperationSettings, kOperations,
               offsetof(Setup, mixed_operations))),
    Terse(Word("start-io-calls", kDriver, kStartIoSettings, kStartIoCalls,
               offsetof(Setup, start_io_calls))),
    Always(If(Number("start-io-item", kDriver, kStartIoSettings, kFewItems - 1,
                     offsetof(Setup, start_io_item)),
              &CallsFromStartIo, nullptr)),
};
static_assert(std::size(kFields) == kSetupFieldCount, "a member without a row");
static_assert(std::is_trivially_copyable_v<Setup> && std::is_standard_layout_v<Setup>);

}  // namespace

bool SetupField::IsOf(Family family) const { return (InfoOf(family).settings & groups) != 0; }

SetupFields AllSetupFields() { return {kFields, kSetupFieldCount}; }

const SetupField* FindSetupField(const char* name) {
  for (const SetupField& field : kFields) {
    if (std::strcmp(field.name, name) == 0) return &field;
  }
  return nullptr;
}

void NormalizeSetup(Setup* setup) {
  Setup normal = InfoOf(setup->family).setup;
  for (const SetupField& field : kFields) {
    if (!field.Applies(normal)) continue;
    const int value = field.Get(*setup);
    field.Set(&normal, value <= field.max ? value : value % (field.max + 1));
  }
  *setup = normal;
}

}  // namespace cancelsafe
