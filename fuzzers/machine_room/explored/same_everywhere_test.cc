// A run of the machine room is a function of its program and schedule: of no address,
// whatever bug the room has. Each room runs the same programs in processes whose memory
// lies elsewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/files.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

constexpr int kPasses = 4;           // processes for each room
constexpr double kSecondsMax = 600;  // a process that takes longer hangs
constexpr const char* kPrograms = "4000";

// What the runs of a process printed, and how it ended. A larger environment moves its stack,
// and the system every mapping, so that no two processes have the same addresses.
std::string RunsOf(const std::string& room, int pass) {
  const std::string padding = "PADDING=" + std::string(static_cast<size_t>(pass) * 777, 'x');
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      {CANCELSAFE_RANDOM_RUNS, room, kPrograms}, kSecondsMax,
      [&](absl::string_view text) { output.append(text.data(), text.size()); }, {padding});
  if (!end.ok()) return std::string(end.status().message());
  return output + DescribeExit(end->status);
}

TEST(MachineRoomRuns, DependOnNoAddressInAnyRoom) {
  std::vector<std::string> rooms;
  for (const std::string& file : FilesIn(CANCELSAFE_ROOMS)) {
    if (absl::EndsWith(file, ".so")) rooms.push_back(file);
  }
  ASSERT_GT(rooms.size(), 20u) << CANCELSAFE_ROOMS;
  for (const std::string& room : rooms) {
    const std::string first = RunsOf(room, 0);
    ASSERT_GT(std::count(first.begin(), first.end(), '\n'), 10) << room << ": " << first;
    for (int pass = 1; pass < kPasses; ++pass) {
      const std::string again = RunsOf(room, pass);
      const auto differ = std::mismatch(first.begin(), first.end(), again.begin(), again.end());
      EXPECT_TRUE(first == again) << room << " differs from program "
                                  << std::count(first.begin(), differ.first, '\n') << " on";
      if (first != again) break;
    }
  }
}

}  // namespace
}  // namespace cancelsafe
