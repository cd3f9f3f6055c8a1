// The report of a program whose implementation takes the process down, made in the
// last moments of that process.
#ifndef CANCELSAFE_FUZZERS_TOOLS_CRASH_REPORT_H_
#define CANCELSAFE_FUZZERS_TOOLS_CRASH_REPORT_H_

#include <string>

#include "base/guest_host.h"
#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Signals and sanitizers' reports end the process with a verdict and exit status 1
// from now on. SIGALRM stands for an implementation that never came back.
void CatchCrashes();

// Likewise, but calls `report` with the verdict instead of printing the report.
void CatchCrashes(void (*report)(const Verdict& verdict));

// From now on a run that never came back ends this process with kExitTimeOut instead of
// kExitViolation: for a parent that has more files.
inline constexpr int kExitTimeOut = 4;
void DistinguishTimeOuts();

// The parent of this process is told when a report has been made.
void TellCrashesTo(GuestHost* host);

// In a child whose parent draws its own conclusions: no reports, and nothing is told.
void SilenceCrashReports();

// What the report is about. All three have to outlive the runs.
void NoteForCrashes(const std::string& file, const Program* program, const Runner* runner);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_CRASH_REPORT_H_
