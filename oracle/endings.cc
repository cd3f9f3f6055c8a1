// Rules on items: what came in must go out, once. See rules.h.
#include "oracle/family.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

bool Report(Rule rule, int item, RuleFilter* filter, RuleFinding* finding) {
  if (!filter->Admits(rule)) return false;
  *finding = RuleFinding{rule, -1, -1, static_cast<uint8_t>(item)};
  return true;
}

}  // namespace

bool FindBrokenEnding(const History& history, RuleFilter* filter, RuleFinding* finding) {
  if (history.truncated) return false;
  Account account;
  const int items = ItemsOf(history.setup);
  InfoOf(history.setup.family).add_endings(history, &account);
  for (int i = 0; i < items; ++i) {
    if (account.ended[i] > account.accepted[i] && Report(Rule::kDoubleEnding, i, filter, finding)) {
      return true;
    }
  }
  for (int i = 0; i < items; ++i) {
    if (account.completed[i] > account.ordered[i] &&
        Report(Rule::kExtraCompletion, i, filter, finding)) {
      return true;
    }
  }
  if (!account.EndedEmpty(QueuesOf(history.setup))) return false;
  for (int i = 0; i < items; ++i) {
    if (account.ended[i] < account.accepted[i] && Report(Rule::kLostItem, i, filter, finding)) {
      return true;
    }
  }
  return false;
}

}  // namespace cancelsafe
