// What a case is, what it may say, and the words it says it with. A case names
// its clauses; each check names the ones it is about, so that a report can tell
// clause from clause inside one case.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_CASE_H_
#define CANCELSAFE_CONFORMANCE_SUITE_CASE_H_

#include "text.h"

namespace cancelsafe::suite {

// What a case needs from its host beyond the mandatory services.
enum Need : unsigned {
  kNeedsNothing = 0,
  kNeedsIrql = 1,          // IRQL can be read, raised and lowered
  kNeedsCancelLock = 2,    // the cancel spin lock's state can be seen
  kNeedsExchangeHook = 4,  // an action can be placed before an interlocked operation
  kNeedsCompletion = 8,
  kNeedsCancel = 16,  // IoCancelIrp
  kNeedsDevice = 32,
  kNeedsCallbackData = 64,
  kNeedsLocksHeld = 128,
  kNeedsCancelLockCount = 512,
  kNeedsLockCount = 1024,
  kNeedsFilterCancel = 256,  // FltCancelIo and the cancel completion routines
};

struct Case {
  const char* id;  // "csq.insert.live-order": permanent
  // The first is the one it is about. All must be provided, but for those with a '?' before
  // them: there the test driver can do with other routines, or with none (HasStandIn).
  const char* routines;
  const char* clauses;
  unsigned needs;
  const char* requirement;
  void (*run)();
};

struct CaseTable {
  const Case* cases;
  int count;
};

template <int kCount>
constexpr CaseTable TableOf(const Case (&cases)[kCount]) {
  return {cases, kCount};
}

// For rules about signatures.
template <typename A, typename B>
inline constexpr bool kSameType = false;
template <typename A>
inline constexpr bool kSameType<A, A> = true;

// All tables, in the order of the catalogue.
extern const CaseTable* const kCaseTables[];
extern const int kCaseTableCount;

enum class Outcome : unsigned char { kPass, kFail, kAmbiguous, kNotProvided, kNotRun };

struct Failure {
  const char* clauses;
  const char* file;
  int line;
  const char* what;
  Text<160> expected;
  Text<160> seen;
};

struct Check {
  const char* clauses;
  bool ok;
};

struct Reading {
  const char* ambiguity;
  const char* text;
};

struct Result {
  static constexpr int kMaxFailures = 6;
  static constexpr int kMaxChecks = 200;
  static constexpr int kMaxReadings = 6;
  Outcome outcome;
  const char* reason;  // not provided: the routine; not run: what the host lacks
  int failure_count;   // may exceed kMaxFailures; the first ones are kept
  int check_count;     // likewise
  int reading_count;
  Failure failures[kMaxFailures];
  Check checks[kMaxChecks];
  Reading readings[kMaxReadings];
};

// Of the case that is running.
Result& CurrentResult();
// The case could not bring about what it is about: `reason` is what was missing. It
// should return then.
void NoteNotRun(const char* reason);
// Notes one check. `what` says what was looked at.
void NoteCheck(bool ok, const char* clauses, const char* what, const char* expected,
               const char* seen, const char* file, int line);
void NoteValue(long long expected, long long seen, const char* clauses, const char* what,
               const char* file, int line);
// Only third parties, or a figure, say so: whether it holds is reported as a reading and
// never fails the case.
void NotePolicy(bool holds, const char* clauses, const char* ambiguity, const char* if_so,
                const char* if_not);
// Which documented reading of an ambiguity the implementation follows.
void NoteReading(const char* ambiguity, const char* text);
// Ends the running case at once, as failed for `what` against `clauses`.
[[noreturn]] void Abandon(const char* clauses, const char* what);

}  // namespace cancelsafe::suite

#define CHECK(clauses, condition)                                                             \
  ::cancelsafe::suite::NoteCheck((condition), clauses, #condition, "true", "false", __FILE__, \
                                 __LINE__)
#define CHECK_EQ(clauses, seen, expected)                                                        \
  ::cancelsafe::suite::NoteValue(static_cast<long long>(expected), static_cast<long long>(seen), \
                                 clauses, #seen, __FILE__, __LINE__)
// `call` is a call number; its callbacks must be exactly `expected`.
#define CHECK_TRACE(clauses, call, expected) \
  ::cancelsafe::suite::CheckTrace(clauses, call, expected, __FILE__, __LINE__)
// `call` has taken a spin lock (needs kNeedsLockCount).
#define CHECK_TAKES_LOCK(clauses, call) \
  ::cancelsafe::suite::CheckTakesLock(clauses, call, __FILE__, __LINE__)
// In every callback of this kind (at least one) the snapshot flag is as `wanted`.
#define CHECK_INSIDE(clauses, kind, flag, wanted) \
  ::cancelsafe::suite::CheckInside(clauses, kind, flag, wanted, #flag, __FILE__, __LINE__)

#endif  // CANCELSAFE_CONFORMANCE_SUITE_CASE_H_
