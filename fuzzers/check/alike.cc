// See alike.h.
#include "fuzzers/check/alike.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "fuzzers/check/blame.h"
#include "impl/implementation.h"

namespace cancelsafe {
namespace {

// Lines of one statement, with what it is made of.
constexpr int kNearLines = 2;
// Of a finding's lines, those that may be places of its stack.
constexpr long kStackMax = 3;
// How well places have to explain two failures (Spectrum::Best) to say that these are one
// mistake in a helper of two routines, or two mistakes in one routine.
constexpr double kSharp = 0.7;
constexpr double kClear = 0.6;
// How well the places that explain one failure best explain another, as a share of what any do.
constexpr double kWell = 0.9;
constexpr double kFairly = 0.7;
constexpr double kPoorly = 0.5;
constexpr double kNever = 0.01;

const RuleRow* RowOf(const Verdict& verdict) {
  const RuleRow* of_kind = nullptr;
  for (int i = 0; i < kRuleCount; ++i) {
    const RuleRow& row = RuleInfo(static_cast<Rule>(i));
    if (row.kind != verdict.kind) continue;
    if (verdict.rule == row.name) return &row;
    of_kind = &row;
  }
  return of_kind;
}

// The settings of a program's driver that differ from the plain one.
std::set<std::string> SettingsOf(const CheckFinding& finding) {
  std::set<std::string> settings;
  for (const absl::string_view line : absl::StrSplit(finding.program, '\n')) {
    if (!absl::StartsWith(line, "driver ")) continue;
    for (const absl::string_view word : absl::StrSplit(line.substr(7), ' ')) {
      // How often it happens does not matter.
      settings.emplace(word.substr(0, word.find('=')));
    }
  }
  return settings;
}

// The operations of a program, "fiber: operation" each, without setup and schedule.
std::vector<std::string> OperationsOf(const CheckFinding& finding) {
  std::vector<std::string> operations;
  for (const absl::string_view line : absl::StrSplit(finding.program, '\n')) {
    if (absl::StartsWith(line, "  ")) operations.emplace_back(line.substr(2));
  }
  return operations;
}

std::string WordOf(const std::string& operation) {
  return operation.substr(0, operation.find(' '));
}

// Whether every operation of `small` is among those of `large`, by name, and its settings.
bool Contains(const CheckFinding& large, const CheckFinding& small) {
  const std::set<std::string> settings = SettingsOf(large);
  for (const std::string& setting : SettingsOf(small)) {
    if (settings.count(setting) == 0) return false;
  }
  std::multiset<std::string> words;
  for (const std::string& operation : OperationsOf(large)) words.insert(WordOf(operation));
  for (const std::string& operation : OperationsOf(small)) {
    const auto at = words.find(WordOf(operation));
    if (at == words.end()) return false;
    words.erase(at);
  }
  return true;
}

std::string FunctionOf(const CheckFinding& finding) {
  if (!finding.lines.empty()) return finding.lines.front().function;
  return finding.routine;
}

bool InFunction(const CheckFinding& finding, const std::string& function) {
  if (function.empty()) return false;
  if (finding.routine == function) return true;
  return std::any_of(finding.lines.begin(), finding.lines.end(),
                     [&](const SourceLine& line) { return line.function == function; });
}

bool LeftOut(const CheckFinding& finding, const Verdict& verdict) {
  return std::any_of(finding.ignored.begin(), finding.ignored.end(), [&](const std::string& entry) {
    return entry == verdict.clause || entry == verdict.rule;
  });
}

// Where a finding was seen, and the routine that led there.
std::vector<SourceLine> Stack(const CheckFinding& finding) {
  std::vector<SourceLine> stack;
  if (!finding.seen_there) return stack;
  stack.assign(
      finding.lines.begin(),
      finding.lines.begin() + std::min<long>(kStackMax, static_cast<long>(finding.lines.size())));
  return stack;
}

bool IsDocumented(const std::string& function) {
#define CANCELSAFE_IS_ENTRY(type, name, parameters) \
  if (function == #name) return true;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_IS_ENTRY)
#undef CANCELSAFE_IS_ENTRY
  return false;
}

bool SharesStack(const CheckFinding& a, const CheckFinding& b) {
  const std::vector<SourceLine> stack = Stack(b);
  for (const SourceLine& line : Stack(a)) {
    if (std::any_of(stack.begin(), stack.end(),
                    [&](const SourceLine& other) { return Near(line, other); })) {
      return true;
    }
  }
  return false;
}

// After the same decision both return something else than the reference: one is the other's
// consequence, seen where the return value is used.
bool DecideAlike(const CheckFinding& a, const CheckFinding& b) {
  if (a.differences.empty() || b.differences.empty()) return false;
  const Difference& one = a.differences.front();
  const Difference& other = b.differences.front();
  return one.kind == Difference::kReturned && other.kind == Difference::kReturned &&
         one.compared != 0 && one.compared == other.compared;
}

}  // namespace

bool Near(const SourceLine& a, const SourceLine& b) {
  return a.known() && a.file == b.file && a.function == b.function &&
         std::abs(a.line - b.line) <= kNearLines;
}

bool IsRace(const CheckFinding& finding) { return finding.verdict.kind == VerdictKind::kDataRace; }

bool IsLoss(const Verdict& verdict) {
  return verdict.kind == VerdictKind::kCrash || verdict.kind == VerdictKind::kLivelock ||
         verdict.kind == VerdictKind::kMemoryError || verdict.kind == VerdictKind::kUndefined ||
         verdict.kind == VerdictKind::kDeadlock;
}

bool Meet(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& one) {
    return std::find(b.begin(), b.end(), one) != b.end();
  });
}

bool MayBeIn(const std::string& function, const CheckFinding& finding) {
  return finding.vanishes_without.empty() || !IsDocumented(function) ||
         RoutinesIn(finding.vanishes_without).count(function) != 0;
}

bool IsSeenThere(const CheckFinding& finding) {
  return !IsConsequence(finding.verdict) && !finding.lines.empty() &&
         MayBeIn(finding.lines.front().function, finding);
}

bool AreApart(const CheckFinding& a, const CheckFinding& b) {
  if (IsRace(a) || IsRace(b)) return false;
  if (IsSeenThere(a) && IsSeenThere(b)) return !SharesStack(a, b);
  if (DecideAlike(a, b)) return false;
  if (a.spectrum.Best() < kClear || b.spectrum.Best() < kClear) return false;
  const double one = ShareOf(a.spectrum, b.spectrum), other = ShareOf(b.spectrum, a.spectrum);
  // What explains the one best is far from explaining the other, or never happens with it.
  return std::min(one, other) < kNever
             ? std::max(one, other) < kWell
             : std::min(one, other) < kPoorly && std::max(one, other) < kFairly;
}

namespace {

// Where it is known of both which routine they vanish without.
Strength ExplainsByRoutine(const CheckFinding& root, const CheckFinding& finding) {
  if (Meet(root.vanishes_without, finding.vanishes_without)) {
    if (AreApart(root, finding)) return kNot;
    return ShareSuspect(root.spectrum, finding.spectrum) ? kSameRoutineAndSuspect : kSameRoutine;
  }
  if (IsRace(root) || IsRace(finding)) return kNot;
  if (IsSeenThere(root) && IsSeenThere(finding)) {
    return Near(root.lines.front(), finding.lines.front()) ? kSamePlace : kNot;
  }
  // A helper of several routines is exchanged with each of them.
  const bool alike =
      root.verdict.rule == finding.verdict.rule && root.verdict.clause == finding.verdict.clause;
  const bool sharp = root.spectrum.Best() >= kSharp && finding.spectrum.Best() >= kSharp;
  return (sharp || alike) && ShareSuspect(root.spectrum, finding.spectrum) ? kSameSuspect : kNot;
}

Strength ExplainsRace(const CheckFinding& root, const CheckFinding& finding) {
  for (const SourceLine& a : root.lines) {
    for (const SourceLine& b : finding.lines) {
      if (Near(a, b)) return kSamePlace;
    }
  }
  return kNot;
}

// What goes wrong when fibers meet in a function where they race.
Strength RaceExplains(const CheckFinding& root, const CheckFinding& finding) {
  if (!IsConsequence(finding.verdict) || finding.fibers < 2) return kNot;
  for (const SourceLine& line : root.lines) {
    if (InFunction(finding, line.function) || Meet(finding.vanishes_without, {line.function})) {
      return kSamePlace;
    }
  }
  return kNot;
}

// Both go wrong at one statement, or by way of one function that calls another.
bool SamePlace(const CheckFinding& root, const CheckFinding& finding, bool same_rule) {
  if (root.lines.empty() || finding.lines.empty()) return false;
  const bool consequence = IsConsequence(finding.verdict);
  const bool alike = IsConsequence(root.verdict) == consequence;
  if (!consequence && alike && Near(root.lines.front(), finding.lines.front())) return true;
  if (!same_rule || consequence) return false;
  for (const SourceLine& line : Stack(finding)) {
    for (const SourceLine& root_line : Stack(root)) {
      if (Near(line, root_line)) return true;
    }
  }
  return FunctionOf(root) == FunctionOf(finding);
}

}  // namespace

Strength Explains(const CheckFinding& root, const CheckFinding& finding) {
  const bool known = !root.vanishes_without.empty() && !finding.vanishes_without.empty();
  if (known) return ExplainsByRoutine(root, finding);
  if (IsRace(root))
    return IsRace(finding) ? ExplainsRace(root, finding) : RaceExplains(root, finding);
  if (IsRace(finding)) return kNot;
  const bool same_rule =
      root.verdict.rule == finding.verdict.rule && root.verdict.kind == finding.verdict.kind;
  if (SamePlace(root, finding, same_rule)) return kSamePlace;
  const bool consequence = IsConsequence(finding.verdict);
  const bool measured = !root.spectrum.empty() && !finding.spectrum.empty();
  const bool suspect = measured && ShareSuspect(root.spectrum, finding.spectrum);
  if (!consequence) return same_rule && suspect ? kSameRule : kNot;
  const bool alike = IsConsequence(root.verdict);
  if (suspect && alike) return kSameSuspect;
  const bool elsewhere = measured && ShareOf(root.spectrum, finding.spectrum) < kPoorly;
  if (alike && same_rule && root.verdict.clause == finding.verdict.clause &&
      root.family == finding.family && !elsewhere) {
    return kSameRule;
  }
  const bool contained = Contains(finding, root);
  if (elsewhere) return kNot;
  if (contained && LeftOut(finding, root.verdict)) return kContained;
  // The process did not survive a program that has all of the root's.
  if (contained && IsLoss(finding.verdict) && root.family == finding.family) return kContained;
  const bool same_place = FunctionOf(root) == FunctionOf(finding) ||
                          (!root.routine.empty() && root.routine == finding.routine);
  return root.family == finding.family && contained && same_place ? kContained : kNot;
}

bool IsConsequence(const Verdict& verdict) {
  const RuleRow* const row = RowOf(verdict);
  if (row == nullptr || verdict.kind == VerdictKind::kDataRace) return false;
  switch (row->seen) {
    case Seen::kEvent:
    case Seen::kCall:
    case Seen::kCancelLockRoutine:
    case Seen::kCompletionRoutine:
    case Seen::kKernelRoutine:
      break;
    default:
      return true;
  }
  // Of these the state is wrong, which an earlier step may have done.
  static constexpr const char* kStates[] = {
      "known-item",           "remove-linked",     "peek-linked",         "canaries",
      "pending-kept",         "remove-routine",    "remove-next-routine", "start-io-current",
      "start-io-overlap",     "double-completion", "lock-recursion",      "lock-not-owned",
      "use-after-completion", "not-an-irp"};
  return std::any_of(std::begin(kStates), std::end(kStates),
                     [&](const char* name) { return verdict.rule == name; });
}

}  // namespace cancelsafe
