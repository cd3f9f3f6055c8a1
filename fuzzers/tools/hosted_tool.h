// How replay and explore host a guest: the tool goes on in a child that its parent
// watches (base/guest_host.h), and what becomes of that child is a verdict.
#ifndef CANCELSAFE_FUZZERS_TOOLS_HOSTED_TOOL_H_
#define CANCELSAFE_FUZZERS_TOOLS_HOSTED_TOOL_H_

#include <functional>

#include "base/guest_host.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// Runs `body`, which returns the exit status, in a child; errors that it throws are
// printed there, under the name of the subcommand. The child is killed when a run
// (`body` tells of each by GuestHost::EnterRun) takes more than `hang_seconds`.
// Throws SetupError if no process can be started.
HostedEnd RunHosted(const char* subcommand, double hang_seconds, const StopSignals& stop,
                    const std::function<int(GuestHost*)>& body);

// The verdict on a child that could not give one itself; ok if it could.
Verdict VerdictOn(const HostedEnd& end);

// The subcommand's exit status for such an end. Those beyond kExitSetup are the
// sanitizers' own.
int ExitStatusFor(const HostedEnd& end);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_HOSTED_TOOL_H_
