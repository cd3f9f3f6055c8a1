// See causes.h. Findings are taken in a fixed order, those that may be roots first; each
// joins a cause that explains it, or begins one.
#include "fuzzers/check/causes.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fuzzers/check/blame.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

// Lines of one statement, with what it is made of.
constexpr int kNearLines = 2;
// Of a cause's lines, those that statistics suspect.
constexpr size_t kLinesMax = 8;
// Of a finding's lines, those that may be places of its stack.
constexpr long kStackMax = 3;
// A program with more is not one that a reader sees through.
constexpr int kFewOperations = 6;
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

bool IsDocumented(const std::string& function) {
#define CANCELSAFE_IS_ENTRY(type, name, parameters) \
  if (function == #name) return true;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_IS_ENTRY)
#undef CANCELSAFE_IS_ENTRY
  return false;
}

// Whether the mistake may be in this function: not in a documented routine, if it goes away
// with another.
bool MayBeIn(const std::string& function, const CheckFinding& finding) {
  return finding.vanishes_without.empty() || !IsDocumented(function) ||
         RoutinesIn(finding.vanishes_without).count(function) != 0;
}

// Whether it is wrong where it was seen.
bool IsSeenThere(const CheckFinding& finding) {
  return !IsConsequence(finding.verdict) && !finding.lines.empty() &&
         MayBeIn(finding.lines.front().function, finding);
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

// Two mistakes in one routine have their own places.
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

// How well a root explains a finding; the best explanation wins.
enum Strength {
  kNot,
  kContained,
  kSameRule,
  kSameSuspect,
  kSameRoutine,
  kSameRoutineAndSuspect,
  kSamePlace
};

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

// A cause whose statement is known explains what goes away with the routine that has it.
bool MayExplain(const Cause& cause, const CheckFinding& finding) {
  if (Meet(cause.shown.vanishes_without, finding.vanishes_without)) {
    return !AreApart(cause.shown, finding);
  }
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

// Families of which others are made come first.
bool IsMadeOfAnother(const std::string& name) {
  const std::optional<Family> family = FindFamily(name);
  return !family.has_value() || InfoOf(*family).base != *family;
}

// Better explanations first.
auto Rank(const CheckFinding& finding) {
  return std::make_tuple(
      !finding.behind.empty(), finding.operations > kFewOperations, IsConsequence(finding.verdict),
      finding.ignored.size(), finding.unconfirmed, IsLoss(finding.verdict), IsRace(finding),
      finding.fibers, IsMadeOfAnother(finding.family), finding.operations,
      -static_cast<int>(finding.verdict.severity), finding.family, finding.variant, finding.Key());
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

// Each finding goes back to one routine: of several without which it vanishes, alone or
// together, the one that explains most.
void NameOneRoutine(std::vector<CheckFinding>* findings) {
  std::map<std::string, int> alone;
  for (const CheckFinding& finding : *findings) {
    if (RoutinesIn(finding.vanishes_without).size() == 1) ++alone[finding.vanishes_without[0]];
  }
  for (CheckFinding& finding : *findings) {
    std::vector<std::string>& names = finding.vanishes_without;
    const std::set<std::string> routines = RoutinesIn(names);
    if (routines.size() < 2) continue;
    const bool together = names.size() == 1;
    std::vector<std::string> left;
    for (const std::string& routine : routines) {
      // Two mistakes at once: that of one routine shows elsewhere, this is the other's.
      if (together && alone.count(routine) == 0) left.push_back(routine);
    }
    if (together && left.size() == routines.size()) continue;
    if (left.empty()) {
      left.assign(routines.begin(), routines.end());
      // Of two mistakes: its places speak of neither.
      if (together) finding.spectrum = Spectrum();
    }
    const auto count = [&](const std::string& routine) {
      const auto at = alone.find(routine);
      return at == alone.end() ? 0 : at->second;
    };
    names = {*std::max_element(
        left.begin(), left.end(),
        [&](const std::string& a, const std::string& b) { return count(a) < count(b); })};
  }
}

// Of a stack, the routine that the mistake is in comes first: it gave what was wrong.
void OrderStack(const CheckFinding& finding, std::vector<SourceLine>* lines) {
  const std::set<std::string> routines = RoutinesIn(finding.vanishes_without);
  std::vector<SourceLine> ordered;
  for (const bool wanted : {true, false}) {
    for (const SourceLine& line : *lines) {
      if ((routines.count(line.function) != 0) == wanted) ordered.push_back(line);
    }
  }
  *lines = std::move(ordered);
}

// Where it departs from the reference comes first, then what all of its findings suspect, then
// where it was seen. `elsewhere`: where other causes depart.
void TakeSuspects(const PlaceLines& places, const std::set<uint64_t>& elsewhere, Cause* cause) {
  cause->lines_are = cause->shown.seen_there ? LinesAre::kSeen : LinesAre::kNear;
  if (IsRace(cause->shown)) return;
  const bool seen = IsSeenThere(cause->shown);
  if (seen) OrderStack(cause->shown, &cause->lines);
  std::vector<SourceLine> lines;
  const auto add = [&](const SourceLine& line) {
    const bool there = std::any_of(lines.begin(), lines.end(), [&](const SourceLine& other) {
      return other.file == line.file && other.line == line.line;
    });
    if (!there && lines.size() < kLinesMax) lines.push_back(line);
  };
  // What a call returns is wrong if that was what was judged.
  CheckFinding shown = cause->shown;
  if (!shown.differences.empty() && shown.differences[0].kind == Difference::kReturned &&
      (seen || RoutinesIn(shown.vanishes_without).count(shown.routine) == 0)) {
    shown.differences.clear();
  }
  const std::vector<SourceLine> stack = seen ? cause->lines : std::vector<SourceLine>();
  const Blame blame = BlameDifference(shown, stack, elsewhere, places);
  for (const SourceLine& line : blame.lines) add(line);
  cause->lines_are = !blame.lines.empty()
                         ? blame.missing ? LinesAre::kMissingNear : LinesAre::kSuspect
                     : seen ? LinesAre::kSeen
                            : LinesAre::kNear;
  if (!seen) {
    std::vector<const Spectrum*> spectra = {&cause->shown.spectrum};
    for (const CheckFinding& other : cause->others) spectra.push_back(&other.spectrum);
    for (const uint64_t what : RankedTogether(spectra)) {
      const auto at = places.find(PlaceOf(what));
      if (at != places.end()) add(at->second);
    }
  }
  for (const SourceLine& line : cause->lines) add(line);
  cause->lines.clear();
  for (const bool wanted : {true, false}) {
    for (const SourceLine& line : lines) {
      if (MayBeIn(line.function, cause->shown) == wanted) cause->lines.push_back(line);
    }
  }
}

// Where the causes other than this one depart from the reference.
std::set<uint64_t> DepartedBesides(const std::vector<Cause>& causes, const Cause& cause) {
  std::set<uint64_t> begins;
  for (const Cause& other : causes) {
    if (&other == &cause) continue;
    for (const Difference& one : other.shown.differences) begins.insert(BeginOf(one));
  }
  return begins;
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
  NameOneRoutine(&findings);
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
    TakeSuspects(places, DepartedBesides(causes, cause), &cause);
  }
  std::sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    return a.severity != b.severity ? a.severity > b.severity : Rank(a.shown) < Rank(b.shown);
  });
  return causes;
}

}  // namespace cancelsafe
