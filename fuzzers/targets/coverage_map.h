// What a run covered beside the edges of the code under attack, states of the model
// and switches of the schedule, and how all of it reaches a fuzz engine. libFuzzer
// reads the counters where they are; into AFL++'s map they are copied after each
// run. This is all that targets need to know of engines; it knows no queues.
#ifndef CANCELSAFE_FUZZERS_TARGETS_COVERAGE_MAP_H_
#define CANCELSAFE_FUZZERS_TARGETS_COVERAGE_MAP_H_

#include <cstddef>
#include <cstdint>

namespace cancelsafe {

// Twice as many as there are (state, operation, outcome) triples to be met in a minute,
// about 900 for a family: hashed into fewer places, new ones would look old. The engine
// looks at every one of them after each input.
inline constexpr size_t kStateCounters = 2048;
inline constexpr size_t kInterleavingCounters = 1024;
// Room in AFL++'s map for the compiler's counters, those of a loaded implementation
// included. What is beyond shares places with what is not.
inline constexpr size_t kInlineCountersMax = 8192;

// Arrays for the runner and for the executor of schedules.
uint8_t* StateCounters();
uint8_t* InterleavingCounters();

// Whether the process was linked for AFL++.
bool UnderAfl();

// Around each run. Under libFuzzer, which clears and reads counters itself, they do
// nothing; under AFL++ they take about 0.2 us.
void ClearCoverage();
void PublishCoverage();

// Counters that the compiler put into a module (inline-8bit-counters), which AFL++
// knows nothing of. Called from the module's constructor, so nothing may be needed
// that is set up by constructors.
void AddInlineCounters(uint8_t* begin, uint8_t* end);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_COVERAGE_MAP_H_
