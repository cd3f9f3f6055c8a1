// See verdict.h.
#include "oracle/verdict.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace cancelsafe {
namespace {

constexpr absl::string_view kMark = "VERDICT ";

// What comes in front of `end`, which is dropped with it; all of it if `end` is not there.
absl::string_view CutAt(absl::string_view end, absl::string_view* rest) {
  const size_t at = rest->find(end);
  const absl::string_view head = rest->substr(0, at);
  rest->remove_prefix(at == absl::string_view::npos ? rest->size() : at + end.size());
  return head;
}

// Of the row that the verdict was made from, or of one of its kind.
Severity SeverityOfRule(const Verdict& verdict) {
  Severity of_kind = Severity::kNone;
  for (int i = 0; i < kRuleCount; ++i) {
    const RuleRow& row = RuleInfo(static_cast<Rule>(i));
    if (row.kind != verdict.kind) continue;
    if (verdict.rule == row.name) return row.severity;
    of_kind = row.severity;
  }
  return of_kind;
}

}  // namespace

Verdict MakeVerdict(Rule rule, Family family, absl::string_view word) {
  const RuleRow& row = RuleInfo(rule);
  const char* clause = RuleClause(rule, family);
  Verdict verdict;
  verdict.kind = row.kind;
  verdict.severity = row.severity;
  verdict.rule = word.empty() ? std::string(row.name) : std::string(word);
  if (clause != nullptr) verdict.clause = clause;
  return verdict;
}

std::string VerdictLine(const Verdict& verdict) {
  std::string line = absl::StrCat(kMark, VerdictKindName(verdict.kind));
  if (!verdict.clause.empty()) absl::StrAppend(&line, " ", verdict.clause);
  if (!verdict.rule.empty()) absl::StrAppend(&line, " (", verdict.rule, ")");
  if (!verdict.reason.empty()) absl::StrAppend(&line, ": ", verdict.reason);
  return absl::StrReplaceAll(line, {{"\n", " "}});
}

bool ParseVerdictLine(absl::string_view text, Verdict* verdict) {
  const size_t mark = text.find(kMark);
  if (mark == absl::string_view::npos) return false;
  absl::string_view rest = text.substr(mark + kMark.size());
  rest = rest.substr(0, rest.find('\n'));
  // The reason begins at the first colon: neither kind nor clause nor rule has one.
  const size_t colon = rest.find(": ");
  Verdict parsed;
  if (colon != absl::string_view::npos) parsed.reason = std::string(rest.substr(colon + 2));
  absl::string_view head = rest.substr(0, colon);
  // What a replay adds stands behind the reason, or behind the rule if there is none.
  if (colon == absl::string_view::npos) head = head.substr(0, head.find(" ["));
  if (!VerdictKindOf(absl::StripAsciiWhitespace(CutAt(" ", &head)), &parsed.kind)) return false;
  if (!absl::StartsWith(head, "(")) parsed.clause = std::string(CutAt(" ", &head));
  if (absl::StartsWith(head, "(") && absl::EndsWith(head, ")")) {
    parsed.rule = std::string(head.substr(1, head.size() - 2));
  }
  parsed.severity = SeverityOfRule(parsed);
  *verdict = std::move(parsed);
  return true;
}

std::string VerdictKey(const Verdict& verdict) {
  const char* kind = VerdictKindName(verdict.kind);
  if (!verdict.clause.empty()) return absl::StrCat(kind, " ", verdict.clause);
  return verdict.rule.empty() ? kind : absl::StrCat(kind, " (", verdict.rule, ")");
}

bool SameFinding(const Verdict& a, const Verdict& b) {
  if (a.kind != b.kind || a.clause != b.clause || a.rule != b.rule) return false;
  return a.kind != VerdictKind::kDataRace || a.reason == b.reason;
}

}  // namespace cancelsafe
