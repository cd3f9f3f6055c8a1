// See verdict.h.
#include "oracle/verdict.h"

#include "absl/strings/str_cat.h"

namespace cancelsafe {

const char* VerdictKindName(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return "pass";
    case VerdictKind::kRule:
      return "rule";
    case VerdictKind::kCallbackOrder:
      return "callback-order";
    case VerdictKind::kNotLinearizable:
      return "not-linearizable";
    case VerdictKind::kLostItem:
      return "lost-item";
    case VerdictKind::kDoubleEnding:
      return "double-ending";
    case VerdictKind::kKernelViolation:
      return "kernel-violation";
    case VerdictKind::kDataRace:
      return "data-race";
    case VerdictKind::kMemoryError:
      return "memory-error";
    case VerdictKind::kUndefined:
      return "undefined";
    case VerdictKind::kDeadlock:
      return "deadlock";
    case VerdictKind::kLivelock:
      return "livelock";
    case VerdictKind::kLockOrder:
      return "lock-order";
    case VerdictKind::kLeak:
      return "leak";
    case VerdictKind::kCrash:
      return "crash";
    case VerdictKind::kDiverged:
      return "diverged";
    case VerdictKind::kUnknown:
      return "unknown";
  }
  return "";
}

std::string VerdictLine(const Verdict& verdict) {
  std::string line = absl::StrCat("VERDICT ", VerdictKindName(verdict.kind));
  if (!verdict.clause.empty()) absl::StrAppend(&line, " ", verdict.clause);
  if (!verdict.rule.empty()) absl::StrAppend(&line, " (", verdict.rule, ")");
  if (!verdict.reason.empty()) absl::StrAppend(&line, ": ", verdict.reason);
  return line;
}

}  // namespace cancelsafe
