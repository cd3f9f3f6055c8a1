// What there is to know of a queue family beside its operations (operations.def) and its
// settings (setup_table.h): its names, its model, and how its runs are read. Each family
// fills in its row in its own folder; families.def is the list. Rooms that go through
// the families do so here, and none of them needs to know which there are.
#ifndef CANCELSAFE_ORACLE_FAMILY_H_
#define CANCELSAFE_ORACLE_FAMILY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "oracle/account.h"
#include "oracle/history.h"
#include "oracle/operations.h"
#include "oracle/order_check.h"
#include "oracle/rule_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {

// Which callbacks the driver of a queue gets, and so which rules on events hold.
enum class CallbackStyle : uint8_t {
  kNone,
  kQueue,    // the list and its lock are the driver's: A I P R U C
  kStartIo,  // StartIo, and cancel routines of the driver's own
};

// A bit of a model's abstract state, in words.
struct Facet {
  uint32_t bit;
  const char* set;    // what a set bit says; "" for nothing
  const char* clear;  // likewise a clear one
};

struct FacetList {
  const Facet* facets = nullptr;
  int count = 0;
};

// The clauses that say what some rules say, for a family without a column in rules.def.
struct RuleClauseRow {
  Rule rule;
  const char* clause;
};

struct RuleClauses {
  const RuleClauseRow* rows = nullptr;
  int count = 0;
};

struct FamilyInfo {
  const char* name;    // in texts, in reports and on command lines: "device-queue"
  const char* prefix;  // of its clauses, and in small letters of its conformance cases: "DQ"
  Family base;         // whose routines its own are made of; itself for the lowest layer
  Setup setup;         // a queue without special settings
  uint8_t settings;    // the SettingGroups that it has
  CallbackStyle callbacks;
  // Adds up what entered the queue, what left it and what was completed.
  void (*add_endings)(const History& history, Account* account);
  // Of Model::Abstract, whose lowest two bits are the length. The first facet belongs to
  // the row of a table.
  FacetList facets;
  std::unique_ptr<OrderCheck> (*new_order_check)();
  // For programs with many items; null if the family has none.
  std::unique_ptr<OrderCheck> (*new_large_order_check)();
  RuleClauses clauses{};
};

const FamilyInfo& InfoOf(Family family);

constexpr Family FamilyNumber(int index) { return static_cast<Family>(index); }

// The family with this name, spelt with dashes or, as in file names, with underscores.
std::optional<Family> FindFamily(std::string_view name);
// "csq, device-queue, ...", for messages.
std::string FamilyNames();

// True if its queues are made of driver callbacks.
inline bool HasQueueCallbacks(Family family) {
  return InfoOf(family).callbacks == CallbackStyle::kQueue;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_FAMILY_H_
