// The judge of one run: the rules, then linearizability against the family's
// model. Everything that decides between pass and failure is behind Check().
//
// The order of the checks is fixed, so that one defect keeps one verdict:
//   1. the rules on events, in the order of events     kRule, kDoubleEnding
//   2. the rules on calls, in the order of calls       kRule
//   3. endings: double, unordered, lost                kDoubleEnding, kLostItem
//   4. a truncated history can be judged no further    kUnknown
//   5. linearizability of results and callbacks        kNotLinearizable, or
//      kCallbackOrder if the results alone can be explained; kUnknown when the
//      budget runs out first
//   6. an order that only a figure shows               kRule
#ifndef CANCELSAFE_ORACLE_CHECK_H_
#define CANCELSAFE_ORACLE_CHECK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "oracle/history.h"
#include "oracle/model.h"
#include "oracle/situation.h"
#include "oracle/verdict.h"

namespace cancelsafe {

struct RuleFinding;

// What --ignore leaves out: rule names of any room ("pending-missing", "deadlock"),
// clause ids ("CSQ-NEXT-01") or verdict kinds ("data-race").
class IgnoreSet {
 public:
  // False if no rule or verdict kind has this name and it does not look like a
  // clause id; the set is unchanged then.
  bool Add(absl::string_view entry);
  // "pending-missing, CSQ-NEXT-01", in the order of addition; "" if empty.
  std::string Describe() const;

  // Rules left out for this family, as a bit per Rule.
  uint64_t RuleMask(Family family) const { return masks_[static_cast<int>(family)]; }
  bool Covers(const Verdict& verdict) const;
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<std::string> entries_;
  uint64_t masks_[kFamilyCount] = {};
};

struct CheckOptions {
  // Model steps before linearizability gives up with kUnknown.
  uint64_t budget = 1000000;
  const IgnoreSet* ignore = nullptr;
  // Semantic coverage: the counter at a hash of (abstract state, operation,
  // outcome) is set to 1 for each call of an accepted history. Null for none.
  uint8_t* state_counters = nullptr;
  uint32_t state_counter_count = 0;
};

class Checker {
 public:
  explicit Checker(Reading reading);
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // Judges the history and returns verdict->ok(). Deterministic: the verdict
  // depends on the history, the reading and the options alone. A passing
  // history whose calls took effect where Call::effect says costs no
  // allocation and O(calls + events).
  bool Check(const History& history, const CheckOptions& options, Verdict* verdict);

  // Distinct (abstract state, operation) pairs met in accepted histories since
  // construction.
  uint32_t states_covered() const;
  // These pairs for one family, in a fixed order. O(pairs that there may be).
  std::vector<Situation> situations(Family family) const;
  // Findings that CheckOptions::ignore has hidden since construction.
  uint64_t ignored() const;
  // Histories that the order of effect did not settle and a search had to.
  uint64_t searches() const;

 private:
  struct Impl;
  // Aborts if the quick look found nothing and the rules do: one of the two is wrong.
  void HoldAgainstRules(const History& history) const;
  bool CheckRules(const History& history, const CheckOptions& options, RuleFinding* figure,
                  Verdict* verdict);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_CHECK_H_
