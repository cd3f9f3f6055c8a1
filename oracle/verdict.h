// The one failure type of the project: what went wrong, which clause or rule
// says so, one line of reason, and the evidence. Fuzzers, replay, suite and
// reports all carry it.
#ifndef CANCELSAFE_ORACLE_VERDICT_H_
#define CANCELSAFE_ORACLE_VERDICT_H_

#include <string>
#include <vector>

namespace cancelsafe {

enum class VerdictKind {
  kPass,
  kRule,             // a rule that holds in every state was broken
  kCallbackOrder,    // right result, wrong callbacks
  kNotLinearizable,  // no order of the calls explains what they returned
  kLostItem,         // an IRP, entry or callback data never ended or vanished
  kDoubleEnding,     // ... ended twice
  kKernelViolation,  // IRQL, lock or completion misuse seen by the machine room
  kDataRace,         // TSan: no happens-before between two accesses
  kMemoryError,      // ASan, or a write to retired memory
  kUndefined,        // UBSan
  kDeadlock,         // no fiber can run
  kLivelock,         // the step budget ran out
  kLockOrder,        // two locks taken in both orders
  kLeak,
  kCrash,
  kDiverged,  // a replay met another decision than the recorded one
  kUnknown,   // the check ran out of its budget: never a pass
};

struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  std::string clause;  // "CSQ-INSERT-13", or "" where only a rule is broken
  std::string rule;    // short name, stable, usable with --ignore: "pending-mark"
  std::string reason;  // one line: expected and seen
  std::vector<std::string> evidence;

  bool ok() const { return kind == VerdictKind::kPass; }
};

// "not-linearizable", "data-race", ...: used in files and on command lines.
const char* VerdictKindName(VerdictKind kind);

// "VERDICT kind clause (rule): reason" on one line.
std::string VerdictLine(const Verdict& verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_VERDICT_H_
