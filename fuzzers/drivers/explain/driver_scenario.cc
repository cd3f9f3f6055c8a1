// See cancelsafe/driver_scenario.h.
#include "cancelsafe/driver_scenario.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/profile_file.h"

namespace cancelsafe {
namespace {

constexpr unsigned kSecondsMax = 20;

}  // namespace

DriverScenario::DriverScenario(std::string driver) : driver_(std::move(driver)) {
  const char* other = std::getenv("CANCELSAFE_DRIVER");
  if (other != nullptr && other[0] != '\0') driver_ = other;
}

void DriverScenario::Line(const std::string& line) { absl::StrAppend(&program_, line, "\n"); }

std::string DriverScenario::Run() {
  const absl::StatusOr<drivers::DriverProgramFile> file = drivers::ParseDriverProgram(program_);
  if (!file.ok()) return std::string(file.status().message());
  std::string error;
  const std::unique_ptr<drivers::DriverImage> image = drivers::LoadDriver(driver_, &error);
  if (image == nullptr) return error;
  alarm(kSecondsMax);
  drivers::DriverRunner runner(image.get());
  drivers::DriverProfile profile;
  if (const std::string path = drivers::ProfileBeside(driver_); !path.empty()) {
    absl::StatusOr<drivers::DriverProfile> read = drivers::ReadDriverProfile(path);
    if (!read.ok()) return std::string(read.status().message());
    profile = *std::move(read);
    runner.SetProfile(&profile);
  }
  const drivers::DriverObservation observation =
      drivers::ObserveDriver(&runner, *image, file->program);
  alarm(0);
  if (observation.verdict.ok()) return "";
  return absl::StrCat(drivers::DriverVerdictLine(observation), "\n\n",
                      drivers::DriverTableOf(observation));
}

}  // namespace cancelsafe
