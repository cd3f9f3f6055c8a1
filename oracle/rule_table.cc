// The table of rules: names, verdict kinds and clauses. See rules.h.
#include "absl/strings/str_cat.h"
#include "oracle/describe.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

constexpr VerdictKind kRule = VerdictKind::kRule;

// In the order of Rule. Columns of clauses: csq, callback data queue, device
// queue, StartIo.
constexpr RuleRow kRules[] = {
    {"queue-argument", kRule, "a callback gets the queue that the caller passed",  //
     "CSQ-INIT-09", "CBDQ-CB-09", nullptr, nullptr},
    {"cancel-lock", kRule, "the cancel spin lock is not held in a queue callback",  //
     "CSQ-CXL-04", "CBDQ-CXL-01", nullptr, nullptr},
    {"acquire-once", kRule, "one operation takes the queue lock once",  //
     "CSQ-INV-05", "CBDQ-CB-03", nullptr, nullptr},
    {"acquire-first", kRule, "insert, peek and remove come between acquire and release",  //
     "CSQ-CB-01", "CBDQ-CB-01", nullptr, nullptr},
    {"release-once", kRule, "a release follows an acquire of the same operation",  //
     "CSQ-CB-04", "CBDQ-CB-03", nullptr, nullptr},
    {"release-token", kRule, "release gets the value that acquire stored",  //
     "CSQ-CB-03", "CBDQ-CB-02", nullptr, nullptr},
    {"insert-context", kRule, "the insert callback gets the caller's insert context",  //
     "CSQ-INSEX-04", "CBDQ-INS-06", nullptr, nullptr},
    {"peek-context", kRule, "every peek gets the caller's peek context",  //
     "CSQ-NEXT-06", "CBDQ-NEXT-05", nullptr, nullptr},
    {"lock-held", kRule, "insert, peek and remove run with the queue lock held",  //
     "CSQ-CB-19", "CBDQ-CB-04", nullptr, nullptr},
    {"completion-unlocked", kRule, "a cancelled item is completed without the queue lock",  //
     "CSQ-CB-16", "CBDQ-CB-08", nullptr, nullptr},
    {"cancel-irql", kRule, "the cancel path calls back at the canceller's IRQL",  //
     "CSQ-CXL-05", "CSQ-CXL-05", nullptr, nullptr},
    {"cancel-peek", kRule, "a cancellation neither peeks nor inserts",  //
     "CSQ-CXL-06", "CBDQ-CXL-01", nullptr, nullptr},
    {"known-item", kRule, "a callback names an item that is not completed",  //
     "CSQ-CB-17", "CBDQ-CB-09", nullptr, "IRP-COMP-02"},
    {"remove-linked", kRule, "remove names an item that is in the queue",  //
     "CSQ-CB-11", "CBDQ-CB-06", nullptr, nullptr},
    {"peek-linked", kRule, "a peek goes on from an item that is in the queue",  //
     "CSQ-CB-14", "CBDQ-NEXT-06", nullptr, nullptr},
    {"canaries", kRule, "what the driver keeps in the item is left alone",  //
     "CSQ-INSERT-11", "CBDQ-CXL-03", nullptr, nullptr},
    {"pending-early", kRule, "the pending mark comes after the insert callback",  //
     "CSQ-INSERT-06", nullptr, nullptr, nullptr},
    {"pending-missing", kRule, "an inserted IRP is marked pending before the lock is released",
     "CSQ-INSERT-05", nullptr, nullptr, nullptr},
    {"pending-after-failure", kRule, "an IRP whose insert failed is not marked pending",  //
     "CSQ-INSEX-09", nullptr, nullptr, nullptr},
    {"routine-early", kRule, "the cancel routine is set after the insert callback",  //
     "CSQ-INSERT-07", "CBDQ-INS-18", nullptr, nullptr},
    {"routine-missing", kRule, "an inserted item gets its cancel routine under the lock",  //
     "CSQ-CXL-01", "CBDQ-INS-18", nullptr, nullptr},
    {"routine-after-failure", kRule, "an item whose insert failed gets no cancel routine",  //
     "CSQ-INSEX-10", "CBDQ-INS-09", nullptr, nullptr},
    {"remove-routine", kRule, "the cancel routine is taken out before remove is called",  //
     "CSQ-REM-06", "CBDQ-REM-06", nullptr, nullptr},
    {"remove-next-routine", kRule, "the cancel routine is taken out before remove is called",  //
     "CSQ-NEXT-11", "CBDQ-NEXT-03", nullptr, nullptr},
    {"remove-after-failure", kRule, "a failed insert is not followed by remove or completion",  //
     "CSQ-INSEX-08", "CBDQ-INS-10", nullptr, nullptr},
    {"cancelled-status", kRule, "a cancelled item is completed with STATUS_CANCELLED",  //
     "CSQ-CB-18", "CBDQ-CB-07", nullptr, "SIO-CXL-02"},
    {"start-io-irql", kRule, "StartIo runs at DISPATCH_LEVEL",  //
     nullptr, nullptr, nullptr, "SIO-START-07"},
    {"start-io-cancel-lock", kRule, "StartIo is called without the cancel spin lock",  //
     nullptr, nullptr, nullptr, "SIO-START-14"},
    {"start-io-current", kRule, "CurrentIrp is the IRP that StartIo gets",  //
     nullptr, nullptr, nullptr, "SIO-NEXT-05"},
    {"start-io-overlap", kRule, "StartIo has one IRP at a time",  //
     nullptr, nullptr, nullptr, "SIO-START-12"},
    {"lock-pairing", kRule, "a call releases the queue lock that it took",  //
     "CSQ-CB-04", "CBDQ-CB-03", nullptr, nullptr},
    {"irql-restored", kRule, "a call returns at the IRQL it was made at",  //
     "CSQ-INV-10", "CBDQ-CB-02", "DQ-ENTRY-07", "SIO-START-07"},
    {"locks-kept", kRule, "a call returns with no more and no fewer locks held",  //
     "CSQ-CB-04", "CBDQ-CB-03", "DQ-INS-07", "IRP-CANCEL-08"},
    {"double-ending", VerdictKind::kDoubleEnding, "an item ends once",  //
     "CSQ-INV-01", "CBDQ-CXL-02", "DQ-STATE-06", "DQ-STATE-06"},
    {"extra-completion", VerdictKind::kDoubleEnding, "an item is completed once",  //
     "CSQ-INV-02", "CBDQ-CXL-02", nullptr, "IRP-COMP-02"},
    {"lost-item", VerdictKind::kLostItem, "an accepted item ends",  //
     "CSQ-INV-01", "CBDQ-CXL-02", "DQ-STATE-06", "DQ-STATE-06"},
};
static_assert(sizeof(kRules) / sizeof(kRules[0]) == kRuleCount);
static_assert(kRuleCount <= 64, "RuleFilter has a bit per rule");

}  // namespace

const RuleRow& RuleInfo(Rule rule) { return kRules[static_cast<int>(rule)]; }

const char* RuleClause(Rule rule, Family family) {
  const RuleRow& row = RuleInfo(rule);
  switch (family) {
    case Family::kCsq:
      return row.csq;
    case Family::kCallbackDataQueue:
      return row.callback_data_queue;
    case Family::kDeviceQueue:
      return row.device_queue;
    case Family::kStartIo:
      return row.start_io;
  }
  return nullptr;
}

void ExplainFinding(const History& history, const Finding& finding, Verdict* verdict) {
  const RuleRow& row = RuleInfo(finding.rule);
  const char* clause = RuleClause(finding.rule, history.setup.family);
  verdict->kind = row.kind;
  verdict->clause = clause == nullptr ? "" : clause;
  verdict->rule = row.name;
  verdict->evidence.clear();
  if (finding.event >= 0) {
    const CallbackEvent& event = history.events[finding.event];
    verdict->reason = absl::StrCat(row.demand, "; seen ", DescribeEvent(history, event));
  } else if (finding.call >= 0) {
    const Call& call = history.calls[finding.call];
    verdict->reason =
        absl::StrCat(row.demand, "; seen ", DescribeCall(history, finding.call), ", irql ",
                     call.irql_before, " before and ", call.irql_after, " after, ",
                     call.locks_before, " locks before and ", call.locks_after, " after");
  } else {
    verdict->reason = absl::StrCat(row.demand, "; seen otherwise: item ", finding.item);
  }
  const int call = finding.event >= 0 ? history.events[finding.event].call : finding.call;
  if (call >= 0 && call < history.call_count) {
    verdict->evidence.push_back(absl::StrCat("call: ", DescribeCall(history, call)));
    verdict->evidence.push_back(
        absl::StrCat("its callbacks: ", DescribeRecordedTrace(history, call)));
  }
  if (finding.item == kNoItem) return;
  for (int i = 0; i < history.call_count; ++i) {
    const Call& entry = history.calls[i];
    bool touches = false;
    for (int e = 0; e < history.event_count && !touches; ++e) {
      touches = history.events[e].call == i && history.events[e].item == finding.item;
    }
    if (!touches && entry.operation.item != finding.item) continue;
    verdict->evidence.push_back(
        absl::StrCat(DescribeCall(history, i), ", callbacks ", DescribeRecordedTrace(history, i)));
  }
}

}  // namespace cancelsafe
