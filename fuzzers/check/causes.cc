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
// Of a list of suspected lines, those that count.
constexpr size_t kSuspectsMax = 3;
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

// Whether every operation of `small` is among those of `large`, by name.
bool Contains(const CheckFinding& large, const CheckFinding& small) {
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

// Whether `finding` is explained by what `root` shows.
bool Explains(const CheckFinding& root, const CheckFinding& finding) {
  const bool same_rule =
      root.verdict.rule == finding.verdict.rule && root.verdict.kind == finding.verdict.kind;
  if (IsRace(root) && IsRace(finding)) {
    for (const SourceLine& a : root.lines) {
      for (const SourceLine& b : finding.lines) {
        if (Near(a, b)) return true;
      }
    }
    return false;
  }
  if (IsRace(root)) {
    // What goes wrong when the fibers meet in the same function.
    if (!IsConsequence(finding.verdict) || finding.fibers < 2) return false;
    return std::any_of(root.lines.begin(), root.lines.end(),
                       [&](const SourceLine& line) { return InFunction(finding, line.function); });
  }
  if (IsRace(finding)) return false;
  const bool consequence = IsConsequence(finding.verdict);
  const bool root_is_consequence = IsConsequence(root.verdict);
  if (!root.lines.empty() && !finding.lines.empty()) {
    const SourceLine& front = root.lines.front();
    // Two things wrong with one statement.
    if (Near(front, finding.lines.front()) && (consequence || root_is_consequence == consequence)) {
      return true;
    }
    // The same rule, by way of one function that calls another.
    for (const SourceLine& line : Stack(finding)) {
      for (const SourceLine& root_line : Stack(root)) {
        if (same_rule && Near(line, root_line)) return true;
      }
    }
    const size_t count = std::min(finding.lines.size(), kSuspectsMax);
    for (size_t i = 0; i < count && consequence && !root_is_consequence; ++i) {
      if (Near(front, finding.lines[i])) return true;
    }
  }
  if (same_rule && FunctionOf(root) == FunctionOf(finding)) return true;
  if (same_rule && root.verdict.clause == finding.verdict.clause && root.family == finding.family &&
      consequence) {
    return true;
  }
  const bool contained = Contains(finding, root);
  // It shows only where the root's rule is left out, in a program that breaks that too.
  if (consequence && LeftOut(finding, root.verdict) && contained) return true;
  // The process did not survive a program that has all of the root's.
  if (IsLoss(finding.verdict) && root.operations > 1 && root.family == finding.family &&
      contained) {
    return true;
  }
  const bool same_place = FunctionOf(root) == FunctionOf(finding) ||
                          (!root.routine.empty() && root.routine == finding.routine);
  return consequence && root.family == finding.family && contained && same_place;
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

// Where the code was traced, statistics know more than the place where a run ended.
void TakeTracedLines(Cause* cause) {
  const auto traced = [](const CheckFinding& finding) {
    return finding.variant == "traced" && !finding.lines.empty();
  };
  if (!IsConsequence(cause->shown.verdict) || traced(cause->shown)) return;
  const auto other =
      std::find_if(cause->others.begin(), cause->others.end(), [&](const CheckFinding& finding) {
        return traced(finding) && finding.verdict.kind == cause->shown.verdict.kind;
      });
  if (other != cause->others.end()) cause->lines = other->lines;
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

std::vector<Cause> GroupByCause(std::vector<CheckFinding> findings) {
  std::sort(findings.begin(), findings.end(),
            [](const CheckFinding& a, const CheckFinding& b) { return Rank(a) < Rank(b); });
  std::vector<Cause> causes;
  for (CheckFinding& finding : findings) {
    Cause* home = nullptr;
    for (Cause& cause : causes) {
      bool explained = Explains(cause.shown, finding);
      for (const CheckFinding& other : cause.others) {
        explained |= IsRace(other) == IsRace(finding) && Explains(other, finding);
      }
      if (!explained) continue;
      home = &cause;
      break;
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
    TakeTracedLines(&cause);
  }
  std::sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    return a.severity != b.severity ? a.severity > b.severity : Rank(a.shown) < Rank(b.shown);
  });
  return causes;
}

}  // namespace cancelsafe
