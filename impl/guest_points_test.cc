// What is read off a shared object without running it: routines that no schedule can
// interrupt, and symbols that the host does not have.
#include "guest_points.h"

#include <gtest/gtest.h>

#include "implementation.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

TEST(GuestPointsTest, RoutinesThatCallNothingOfTheHostHaveNone) {
  const GuestPoints points = FindGuestPoints(CANCELSAFE_POINTLESS_PATH, false);
  EXPECT_EQ(3, points.routines);
  EXPECT_EQ(Names{"KeInsertDeviceQueue"}, points.without);
  EXPECT_NE(std::string::npos,
            DescribeGuestPoints(CANCELSAFE_POINTLESS_PATH, false)
                .find("1 of 3 routines have no preemption point (KeInsertDeviceQueue)"))
      << DescribeGuestPoints(CANCELSAFE_POINTLESS_PATH, false);
}

TEST(GuestPointsTest, HooksOfAccessesArePointsWhereTheyAreAskedFor) {
  EXPECT_EQ(Names(), FindGuestPoints(CANCELSAFE_POINTLESS_HOOKED_PATH, true).without);
  EXPECT_EQ(Names{"KeInsertDeviceQueue"},
            FindGuestPoints(CANCELSAFE_POINTLESS_HOOKED_PATH, false).without);
}

TEST(GuestPointsTest, CallbacksAndServicesArePoints) {
  const GuestPoints points = FindGuestPoints(CANCELSAFE_CLONE_PREFIX "plain.so", false);
  EXPECT_EQ(10, points.routines);
  EXPECT_EQ(Names(), points.without);
}

TEST(GuestPointsTest, WhatIsNotASharedObjectHasNoRoutines) {
  EXPECT_EQ(0, FindGuestPoints(__FILE__, false).routines);
  EXPECT_EQ("", DescribeGuestPoints("no-such-file.so", false));
}

TEST(MissingSymbolsTest, AllAreNamedAtOnce) {
  Implementation table;
  std::string error;
  EXPECT_FALSE(LoadImplementation(CANCELSAFE_WANTING_PATH, &table, &error));
  EXPECT_NE(std::string::npos, error.find("3 undefined symbols are not provided by the host: "))
      << error;
  for (const char* name : {"ExNoSuchRoutine", "KeNoSuchRoutine", "NoSuchData"}) {
    EXPECT_NE(std::string::npos, error.find(name)) << error;
  }
  EXPECT_EQ(std::string::npos, error.find("KeInitializeSpinLock")) << error;
}

}  // namespace
}  // namespace cancelsafe
