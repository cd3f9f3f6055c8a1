// A report can be made wherever the implementation has gone wrong.
#include "fuzzers/run/fault_site.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/signals.h"

namespace cancelsafe {
namespace {

// Exits with 7 if the place could be asked for.
void AskAndExit() {
  FaultOffset();
  _exit(7);
}

// Without the check of a called function's type, which would read in front of it.
__attribute__((no_sanitize("function"))) void CallAndAsk(uintptr_t address) {
  SetFaultyCode(BuiltInImplementation());
  CatchDeadlySignals([](int) { AskAndExit(); });
  void (*volatile wild)() = reinterpret_cast<void (*)()>(address);
  wild();
}

TEST(FaultSiteDeathTest, ACallOfWhatIsNoMemoryDoesNotEndTheReport) {
  EXPECT_EXIT(CallAndAsk(0x100), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(CallAndAsk(0), testing::ExitedWithCode(7), "");
}

TEST(FaultSiteDeathTest, ACallOfDataDoesNotEndTheReport) {
  static const uint64_t data[8] = {};
  EXPECT_EXIT(CallAndAsk(reinterpret_cast<uintptr_t>(data)), testing::ExitedWithCode(7), "");
}

}  // namespace

}  // namespace cancelsafe

#ifdef CANCELSAFE_SANITIZER_ADDRESS
// Not the signal is caught there, but the report of it.
extern "C" __attribute__((visibility("default"))) void __asan_on_error() {
  cancelsafe::AskAndExit();
}
#endif
