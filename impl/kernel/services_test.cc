// What the host executable offers to guests: every service, and none of the
// built-in queue routines.
#include "kernel/services.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "implementation.h"

namespace cancelsafe {
namespace {

TEST(ServicesTest, GuestsFindEveryService){
#define CANCELSAFE_EXPECT_EXPORTED(name) EXPECT_NE(nullptr, dlsym(RTLD_DEFAULT, #name)) << #name;
    CANCELSAFE_KERNEL_SERVICES(CANCELSAFE_EXPECT_EXPORTED)
        CANCELSAFE_EXPECT_EXPORTED(CancelsafeInterlockedPoint)}

TEST(ServicesTest, GuestsAreNotInterposedByTheBuiltInQueues) {
  // Referenced, so that the built-in routines are part of this program.
  ASSERT_EQ(kEntryPointCount, ProvidedEntryPoints(BuiltInImplementation()));
#define CANCELSAFE_EXPECT_HIDDEN(type, name, parameters) \
  EXPECT_EQ(nullptr, dlsym(RTLD_DEFAULT, #name)) << #name;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_EXPECT_HIDDEN)
}

}  // namespace
}  // namespace cancelsafe
