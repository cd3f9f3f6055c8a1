// Structured exceptions as a driver's handlers see them (testdata/exceptions.c), run sequentially.
#include "fuzzers/drivers/world/exceptions.h"

#include <gtest/gtest.h>

#include "fuzzers/drivers/world/driver_cases_testing.h"

namespace cancelsafe::drivers {
namespace {

constexpr DriverCase kCases[] = {
    {0, "CaughtFromCallee", 123, nullptr, ""},
    {1, "Nested", 12345, nullptr, ""},
    {2, "HandledInside", 121345, nullptr, ""},
    {3, "FaultInCallee", 1, nullptr, ""},
    {4, "FaultHere", 1213, nullptr, ""},
    {5, "FinallyReleases", 123, nullptr, ""},
    {6, "RaisedAgain", 123, nullptr, ""},
    {7, "ExceptionInFinally", 123456, nullptr, ""},
    {8, "ExceptionInFilter", 1223, nullptr, ""},
    {9, "FilterHandlesItsOwn", 123, nullptr, ""},
    {10, "Continued", 7, nullptr, ""},
    {11, "Probes", 12345, nullptr, ""},
    {12, "FaultInService", 123, nullptr, ""},
    {13, "DividedByZero", 1, nullptr, ""},
    {14, "LeftEarly", 1216345, nullptr, ""},
    {15, "FilterWaits", 23, nullptr, ""},
    {16, "Loop", 1212, nullptr, ""},
    {17, "ContinuedNoncontinuable", 12, nullptr, ""},
    {18, "Unhandled", 0, "bugcheck", "ExRaiseStatus: raises exception 0x80000011"},
    {19, "SearchedInVain", 0, "bugcheck", "which no handler of the driver takes"},
    {20, "FaultAtDispatch", 0, "crash", "an access violation"},
    {21, "RaiseAtDispatch", 0, "irql", "ExRaiseStatus: called at DISPATCH_LEVEL"},
    {22, "FreedInTry", 0, "", ""},
    {23, "FilterAlwaysFaults", 0, "crash", "the stack has no room to look for a handler"},
    {24, "KernelAddress", 0, "crash", "an access violation"},
    {25, "ContinuedWithoutEnd", 0, "livelock", "raises more than"},
    {26, "HandledBelowService", 1234, nullptr, ""},
    {27, "ThroughService", 0, "not-provided", "an exception through a service"},
    {28, "ThroughCompletion", 0, "not-provided", "an exception through a service"},
};

class ExceptionsTest : public testing::TestWithParam<std::tuple<const char*, DriverCase>> {};

TEST_P(ExceptionsTest, DoAsDocumented) {
  std::string error;
  const std::unique_ptr<DriverImage> image = LoadDriver(std::get<0>(GetParam()), &error);
  ASSERT_NE(image, nullptr) << error;
  EXPECT_TRUE(image->missing_services().empty()) << image->missing_services()[0];
  // Twice: what is left of the first run must not be in the way of the next.
  for (int run = 0; run < 2; ++run) ExpectCase(image.get(), std::get<1>(GetParam()));
}

#ifdef CANCELSAFE_DRIVER_EXCEPTIONS
INSTANTIATE_TEST_SUITE_P(Drivers, ExceptionsTest,
                         testing::Combine(testing::Values(CANCELSAFE_DRIVER_EXCEPTIONS,
                                                          CANCELSAFE_DRIVER_EXCEPTIONS_PLAIN),
                                          testing::ValuesIn(kCases)),
                         [](const auto& info) {
                           const std::string path = std::get<0>(info.param);
                           return std::string(std::get<1>(info.param).name) +
                                  (path == CANCELSAFE_DRIVER_EXCEPTIONS ? "" : "Plain");
                         });
#endif
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExceptionsTest);

}  // namespace
}  // namespace cancelsafe::drivers
