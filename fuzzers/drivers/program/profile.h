// The profile of a driver: a small text file beside its .sys that says which requests make sense,
// which of them end in the order of their arrival, and which wake which.
//
//   # NAME, kind, and what the request has: numbers, or ranges of them
//   request get    read  out=1..64
//   request put    write in=1..64
//   request setup  ioctl code=0x222004 in=8 out=0 bytes=01,00,00,00,*,*,*,*
//   order get
//   wakes put get
//
// `bytes` is how an input begins, in hexadecimal; those that are * vary. A line `order` names the
// requests that one queue keeps in order, for each file. A line `wakes` names a request and those
// that it may end. Knows no driver and no run.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_PROFILE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/drivers/program/driver_program.h"

namespace cancelsafe::drivers {

inline constexpr size_t kMaxProfileBytes = 64 * 1024;
inline constexpr int kMaxProfileRequests = 64;

struct LengthRange {
  uint32_t min = 0;
  uint32_t max = 0;
  bool Has(uint32_t length) const { return min <= length && length <= max; }
};

struct ProfileRequest {
  std::string name;
  DriverOp op = DriverOp::kRead;  // kRead, kWrite or kIoctl
  uint32_t code = 0;
  LengthRange in;
  LengthRange out;
  std::vector<int> bytes;  // of the input's beginning; -1: varies
};

struct DriverProfile {
  std::string path;  // "" if there is none
  std::vector<ProfileRequest> requests;
  std::vector<std::vector<int>> orders;  // numbers of requests that one queue keeps in order
  std::vector<std::vector<int>> wakes;   // of one that wakes, then of those that it may end

  // The number of the first request that an operation is, or -1.
  int KindOf(const DriverOperation& operation) const;
  // Whether one queue keeps both in order.
  bool InOneOrder(int kind, int other) const;
  // Those that may end it; none if the profile does not say.
  std::vector<int> WakersOf(int kind) const;
};

// An InvalidArgumentError is one line that begins with "line N: " and says what was wrong with
// which value and what is allowed.
absl::StatusOr<DriverProfile> ParseDriverProfile(absl::string_view text);

// What it says, in lines for people.
std::string DescribeProfile(const DriverProfile& profile);

// The input of an operation: as its request in the profile says, bytes that vary by the numbers
// of the operation; without a request there, one letter for each request. The operation's own data
// comes over both. `profile` may be null.
std::vector<uint8_t> InputOf(const DriverOperation& operation, const DriverProfile* profile);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_PROFILE_H_
