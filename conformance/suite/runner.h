// Runs one case and writes what came out of it as a TAP 14 test point. Isolation
// (a process each, or a guard around the call) is the host's.
#ifndef CANCELSAFE_CONFORMANCE_SUITE_RUNNER_H_
#define CANCELSAFE_CONFORMANCE_SUITE_RUNNER_H_

#include "case.h"
#include "host.h"

namespace cancelsafe::suite {

int CaseCount();
// Number 0..CaseCount()-1, in catalogue order.
const Case& CaseAt(int number);

// Runs `test_case` and returns its result, which lives until the next run.
// Routines missing in `host` make it "not provided", services "not run". Does
// not return if the implementation crashes or hangs.
const Result& RunCase(const Case& test_case, const Host& host);

// Name of the first routine of `test_case` that `host` lacks, or null.
const char* MissingRoutine(const Case& test_case, const EntryPoints& entry);
// What `host` would have to offer for the case to run, or null.
const char* MissingService(const Case& test_case, const Services& kernel);

// True if no routine of the case is an entry point: it checks the kernel of its host,
// and says nothing of an implementation that is put into it.
bool ChecksHostAlone(const Case& test_case);

// The routine that was called last and has not returned, or null: what a host
// names when a case ends in the middle of a call.
const char* RoutineInProgress();

// Receives lines without their end.
using LineWriter = void (*)(void* context, const char* line);

// A test point with its YAML block: verdict, clauses, failures with expected and
// seen, readings, steps and trace.
void WriteTestPoint(int number, const Case& test_case, const Result& result, LineWriter writer,
                    void* context);
// The same for a case that did not return: verdict "crash" or "not-provided".
void WriteAborted(int number, const Case& test_case, const char* verdict, const char* reason,
                  LineWriter writer, void* context);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_RUNNER_H_
