// What the host executable offers to guests: every service, and none of the
// built-in queue routines.
#include "kernel/services.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "implementation.h"
#include "kernel/testing.h"

namespace cancelsafe {
namespace {

TEST(ServicesTest, GuestsFindEveryService){
#define CANCELSAFE_EXPECT_EXPORTED(name) EXPECT_NE(nullptr, dlsym(RTLD_DEFAULT, #name)) << #name;
    CANCELSAFE_KERNEL_SERVICES(CANCELSAFE_EXPECT_EXPORTED)
        CANCELSAFE_EXPECT_EXPORTED(CancelsafeInterlockedPoint)
            CANCELSAFE_EXPECT_EXPORTED(CancelsafeYieldPoint)}

TEST(ServicesTest, WaitingForAnotherProcessorReachesThePlatformAsAYield) {
  RecordingPlatform platform;
  int yields = 0;
  platform.at_point = [&](KiPoint kind, const volatile void*) { yields += kind == kPointYield; };
  YieldProcessor();
  EXPECT_EQ(1, yields);
  KeStallExecutionProcessor(50);
  EXPECT_EQ(2, yields);
}

TEST(ServicesTest, GuestsAreNotInterposedByTheBuiltInQueues) {
  // Referenced, so that the built-in routines are part of this program.
  ASSERT_EQ(kEntryPointCount, ProvidedEntryPoints(BuiltInImplementation()));
#define CANCELSAFE_EXPECT_HIDDEN(type, name, parameters) \
  EXPECT_EQ(nullptr, dlsym(RTLD_DEFAULT, #name)) << #name;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_EXPECT_HIDDEN)
}

}  // namespace
}  // namespace cancelsafe
