// For tests of services by drivers in testdata/ whose control codes are cases, each of which notes
// its steps as digits of a number: what became of one.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_DRIVER_CASES_TESTING_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_DRIVER_CASES_TESTING_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "fuzzers/drivers/build/sequential.h"
#include "fuzzers/drivers/world/world.h"

namespace cancelsafe::drivers {

struct DriverCase {
  int number;  // of the control code
  const char* name;
  uint64_t steps;    // that it takes, as digits; 0 where it breaks a rule
  const char* rule;  // that it breaks, null for none, "" for any, or "not-provided"
  const char* text;  // what is said then, in part
};
inline void PrintTo(const DriverCase& value, std::ostream* out) { *out << value.name; }

// Runs the case on a new driver, and unloads it if it is still there.
inline void ExpectCase(DriverImage* image, const DriverCase& wanted) {
  uint64_t steps = 0;
  BeginRun(image, WorldOptions());
  const SequentialResult result = RunSequentially([&] {
    ASSERT_EQ(StartDriver(), STATUS_SUCCESS);
    RequestSpec spec;
    spec.major = IRP_MJ_DEVICE_CONTROL;
    spec.file = MakeFile(Devices().at(0));
    spec.control_code = 0x220000u | static_cast<uint32_t>(wanted.number) << 2;
    PIRP irp = MakeRequest(spec);
    KiIrpHeaderOf(irp)->context = &steps;
    KiIrpHeaderOf(irp)->on_complete = [](PIRP ended, void* context) {
      *static_cast<uint64_t*>(context) = ended->IoStatus.Information;
    };
    Dispatch(irp);
    UnloadDriver();
  });
  EXPECT_EQ(steps, wanted.steps);
  if (wanted.rule == nullptr) {
    EXPECT_EQ(result.end, SequentialEnd::kDone) << result.text;
    return;
  }
  EXPECT_NE(result.end, SequentialEnd::kDone);
  const bool is_provided = std::string(wanted.rule) != "not-provided";
  EXPECT_EQ(result.end != SequentialEnd::kNotProvided, is_provided) << result.text;
  if (is_provided && *wanted.rule != '\0') {
    EXPECT_EQ(result.rule, wanted.rule) << result.text;
  }
  EXPECT_NE(result.text.find(wanted.text), std::string::npos) << result.text;
}

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_DRIVER_CASES_TESTING_H_
