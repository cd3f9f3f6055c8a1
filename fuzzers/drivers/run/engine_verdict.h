// What the memory engine saw in a run of a driver, as verdicts and in words. Nothing outside
// the model flavour.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_ENGINE_VERDICT_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_ENGINE_VERDICT_H_

#include <functional>
#include <string>
#include <vector>

#include "fuzzers/run/memory_run.h"
#include "oracle/verdict.h"

namespace cancelsafe::drivers {

// The first access of the run to memory that is not live, else its first data race; a pass if
// there is neither, or only a race and `races` is false. Slow where there is one: it looks up
// functions and lines.
Verdict EngineVerdict(bool races);

// A line for each load or store of the run that did not go as under sequential consistency.
// `name_of` says what lies at an address.
std::vector<std::string> EngineStory(const MemoryRun& run,
                                     const std::function<std::string(uintptr_t)>& name_of);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_ENGINE_VERDICT_H_
