// See causes.h. Findings are taken in a fixed order, those that may be roots first; each
// joins a cause that explains it, or begins one.
#include "fuzzers/check/causes.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

// Lines of one statement, with what it is made of.
constexpr int kNearLines = 2;
// Of a cause's lines, those that statistics suspect.
constexpr size_t kLinesMax = 8;
// Of a finding's lines, those that may be places of its stack.
constexpr long kStackMax = 3;

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

bool Near(const SourceLine& a, const SourceLine& b) {
  return a.known() && a.file == b.file && a.function == b.function &&
         std::abs(a.line - b.line) <= kNearLines;
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

bool IsRace(const CheckFinding& finding) { return finding.verdict.kind == VerdictKind::kDataRace; }

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

// The run took its process along, which any damage may do.
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

// How well a root explains a finding; the best explanation wins.
enum Strength { kNot, kContained, kSameRule, kSameSuspect, kSamePlace };

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

Strength Explains(const CheckFinding& root, const CheckFinding& finding) {
  if (IsRace(root))
    return IsRace(finding) ? ExplainsRace(root, finding) : RaceExplains(root, finding);
  if (IsRace(finding)) return kNot;
  const bool same_rule =
      root.verdict.rule == finding.verdict.rule && root.verdict.kind == finding.verdict.kind;
  if (SamePlace(root, finding, same_rule)) return kSamePlace;
  const bool consequence = IsConsequence(finding.verdict);
  const bool known = !root.vanishes_without.empty() && !finding.vanishes_without.empty();
  const bool together = Meet(root.vanishes_without, finding.vanishes_without);
  const bool measured = !root.spectrum.empty() && !finding.spectrum.empty();
  const bool suspect = measured && ShareSuspect(root.spectrum, finding.spectrum);
  if (!consequence) return same_rule && (together || suspect) ? kSameRule : kNot;
  // A helper of several routines is exchanged with each of them.
  constexpr double kSharp = 0.85;
  const bool sharp = suspect && root.spectrum.Best() >= kSharp && finding.spectrum.Best() >= kSharp;
  const bool alike = IsConsequence(root.verdict);
  if (known && !together && !(alike && (sharp || (same_rule && suspect)))) return kNot;
  if (suspect && (alike || together)) return kSameSuspect;
  // Two mistakes in one routine have their own places.
  constexpr double kShare = 0.6;
  const bool elsewhere = measured && ShareOf(root.spectrum, finding.spectrum) < kShare;
  if (alike && same_rule && root.verdict.clause == finding.verdict.clause &&
      root.family == finding.family && (together || !known) && !elsewhere) {
    return kSameRule;
  }
  const bool contained = Contains(finding, root);
  if (contained && together && !elsewhere) return kContained;
  if (known || (measured && elsewhere)) return kNot;
  if (contained && LeftOut(finding, root.verdict)) return kContained;
  // The process did not survive a program that has all of the root's.
  if (contained && IsLoss(finding.verdict) && root.family == finding.family) return kContained;
  const bool same_place = FunctionOf(root) == FunctionOf(finding) ||
                          (!root.routine.empty() && root.routine == finding.routine);
  return root.family == finding.family && contained && same_place ? kContained : kNot;
}

// A cause whose statement is known explains what goes away with the routine that has it.
bool MayExplain(const Cause& cause, const CheckFinding& finding) {
  if (IsRace(cause.shown) || IsConsequence(cause.shown.verdict)) return true;
  if (!IsConsequence(finding.verdict) || finding.vanishes_without.empty()) return true;
  bool tried = !cause.shown.vanishes_without.empty();
  bool together = Meet(cause.shown.vanishes_without, finding.vanishes_without);
  for (const CheckFinding& other : cause.others) {
    tried |= !other.vanishes_without.empty();
    together |= Meet(other.vanishes_without, finding.vanishes_without);
  }
  return together || !tried;
}

int FamilyRank(const std::string& family) {
  // Other families are made of these.
  return family == "csq" || family == "device-queue" ? 0 : 1;
}

// Better explanations first.
auto Rank(const CheckFinding& finding) {
  return std::make_tuple(IsConsequence(finding.verdict), finding.ignored.size(),
                         finding.unconfirmed, IsLoss(finding.verdict), IsRace(finding),
                         finding.fibers, FamilyRank(finding.family), finding.operations,
                         -static_cast<int>(finding.verdict.severity), finding.family,
                         finding.variant, finding.Key());
}

// Of the two places of a race, the one that more races of the cause share comes first.
void OrderPlacesOfRaces(Cause* cause) {
  if (!IsRace(cause->shown)) return;
  const auto count = [&](const SourceLine& line) {
    return std::count_if(
        cause->others.begin(), cause->others.end(), [&](const CheckFinding& other) {
          return IsRace(other) && std::any_of(other.lines.begin(), other.lines.end(),
                                              [&](const SourceLine& at) { return Near(at, line); });
        });
  };
  std::sort(cause->lines.begin(), cause->lines.end(),
            [&](const SourceLine& a, const SourceLine& b) { return count(a) > count(b); });
}

// Of a consequence, what all of its findings suspect comes first.
void TakeSuspects(const PlaceLines& places, Cause* cause) {
  std::vector<const Spectrum*> spectra = {&cause->shown.spectrum};
  for (const CheckFinding& other : cause->others) spectra.push_back(&other.spectrum);
  std::vector<SourceLine> lines;
  const auto add = [&](const SourceLine& line) {
    const bool there = std::any_of(lines.begin(), lines.end(), [&](const SourceLine& other) {
      return other.file == line.file && other.line == line.line;
    });
    if (!there) lines.push_back(line);
  };
  if (!IsConsequence(cause->shown.verdict)) return;
  for (const uint64_t what : RankedTogether(spectra)) {
    const auto at = places.find(PlaceOf(what));
    if (at != places.end() && lines.size() < kLinesMax) add(at->second);
  }
  for (const SourceLine& line : cause->lines) add(line);
  cause->lines = std::move(lines);
}

}  // namespace

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

std::string Cause::Identity() const {
  const Verdict& verdict = shown.verdict;
  return absl::StrCat(VerdictKindName(verdict.kind), " ",
                      verdict.clause.empty() ? verdict.rule : verdict.clause, " in ",
                      lines.empty() ? shown.routine : lines.front().function);
}

std::vector<Cause> GroupByCause(std::vector<CheckFinding> findings, const PlaceLines& places) {
  std::sort(findings.begin(), findings.end(),
            [](const CheckFinding& a, const CheckFinding& b) { return Rank(a) < Rank(b); });
  std::vector<Cause> causes;
  for (CheckFinding& finding : findings) {
    Cause* home = nullptr;
    Strength best = kNot;
    for (Cause& cause : causes) {
      if (!MayExplain(cause, finding)) continue;
      Strength strength = Explains(cause.shown, finding);
      for (const CheckFinding& other : cause.others) {
        if (IsRace(other) == IsRace(finding)) {
          strength = std::max(strength, Explains(other, finding));
        }
      }
      if (strength <= best) continue;
      best = strength;
      home = &cause;
    }
    if (home == nullptr) {
      Cause cause;
      cause.severity = finding.verdict.severity;
      cause.lines = finding.lines;
      cause.shown = std::move(finding);
      causes.push_back(std::move(cause));
      continue;
    }
    home->severity = std::max(home->severity, finding.verdict.severity);
    home->others.push_back(std::move(finding));
  }
  for (Cause& cause : causes) {
    OrderPlacesOfRaces(&cause);
    TakeSuspects(places, &cause);
  }
  std::sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    return a.severity != b.severity ? a.severity > b.severity : Rank(a.shown) < Rank(b.shown);
  });
  return causes;
}

}  // namespace cancelsafe
