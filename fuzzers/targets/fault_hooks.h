// Lets a program say what it was doing when ASan, UBSan or a signal is about to
// end the process.
#ifndef CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_
#define CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// `hook` is called once, before the sanitizer prints its report, with the
// sanitizer's name for the error ("heap-use-after-free"), or for kCrash the signal
// ("signal-6"). Null for none.
void SetFaultHook(void (*hook)(VerdictKind kind, const char* description));

// From now on the hook is called for the signals of a crash as well, but for those
// that ASan reports. Handlers that are in force keep working: they are called
// after the hook. Call it once.
void CatchSignals();

// The verdict on what the hook was told, with the place of the implementation where it
// happened (fuzzers/run/fault_site.h). For use within the hook.
Verdict FaultVerdict(VerdictKind kind, Family family, absl::string_view description);

// The hook's description of a signal: "signal-6".
std::string SignalWord(int number);

// The verdict on an implementation that calls exit.
Verdict ExitVerdict(Family family);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_
