// See causes.h. Findings are taken in a fixed order, those that may be roots first; each
// joins a cause that explains it, or begins one.
#include "fuzzers/check/causes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzzers/check/alike.h"
#include "fuzzers/check/blame.h"
#include "fuzzers/check/cause_lines.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

// A program with more is not one that a reader sees through.
constexpr int kFewOperations = 6;

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
