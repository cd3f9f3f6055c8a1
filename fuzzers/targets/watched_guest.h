// A target on an implementation from outside goes on in a child, and the first process
// watches it (base/guest_host.h): a guest that ends, replaces or stops the process, or
// hangs with all signals blocked, costs a verdict and the input, and never looks like a
// fuzz target that has come to its end.
#ifndef CANCELSAFE_FUZZERS_TARGETS_WATCHED_GUEST_H_
#define CANCELSAFE_FUZZERS_TARGETS_WATCHED_GUEST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "oracle/verdict.h"

namespace cancelsafe {

// What an engine sees of a violation.
inline constexpr int kEngineErrorStatus = 77;

// Says and saves what is wrong, with the input that was being run.
using ReportDeath =
    std::function<void(Rule rule, const char* reason, const uint8_t* data, size_t size)>;

// Returns in the child. The parent calls `report` if the guest did anything to the child
// that the engine could not see, and ends with its exit status, or kEngineErrorStatus.
// `hang_seconds`: how long one run may take; more than the engine's own limit.
void WatchGuest(double hang_seconds, const ReportDeath& report);

// Under AFL++, which starts one process after another and takes any quiet end of one for
// the end of a run: what a process runs is kept for the one that follows it. Called before
// the engine forks.
void KeepInputForNext();
// In a new process, once: whether the one before it ended inside a run, and with what.
bool LeftByProcessBefore(std::string* bytes);

// In the child; no effect without WatchGuest or KeepInputForNext.
void NoteEngineReady();                            // to run inputs
void NoteInput(const uint8_t* data, size_t size);  // that is run next
void EnterGuest();                                 // a run begins
void LeaveGuest();                                 // and ends
void NoteReported();                               // what is wrong; the process is about to end

// Ends the process between two runs, without a word of the engine's and as it should: the
// process that watches a guest takes any other quiet end for the guest's.
[[noreturn]] void EndRegularly(int status);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_WATCHED_GUEST_H_
