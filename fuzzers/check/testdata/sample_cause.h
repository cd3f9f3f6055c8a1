// A cause with all that one can have, for the tests of reports.
#ifndef CANCELSAFE_FUZZERS_CHECK_TESTDATA_SAMPLE_CAUSE_H_
#define CANCELSAFE_FUZZERS_CHECK_TESTDATA_SAMPLE_CAUSE_H_

#include "fuzzers/check/cause_report.h"

namespace cancelsafe {

inline ReportedCause SampleCause() {
  ReportedCause reported;
  CheckFinding& shown = reported.cause.shown;
  shown.verdict = MakeVerdict(Rule::kPendingMissing, Family::kCsq);
  shown.verdict.reason = "an inserted IRP is marked pending; seen otherwise";
  shown.routine = "IoCsqInsertIrp";
  shown.program = "target csq\nfiber 0\n  insert 0\n";
  shown.operations = 1;
  shown.seen_there = true;
  reported.cause.lines_are = LinesAre::kSeen;
  reported.cause.severity = shown.verdict.severity;
  reported.cause.lines = {{"IoCsqInsertIrpEx", "csq.c", 99}};
  reported.replay = "/x/cancelsafe replay /x/cause-1.txt";
  return reported;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_TESTDATA_SAMPLE_CAUSE_H_
