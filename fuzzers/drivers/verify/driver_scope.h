// How large the programs for a driver are that a verification goes through, and of what they are
// made. Plain values; what lies within a scope is said by driver_worlds.h.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_SCOPE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_SCOPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzzers/drivers/program/driver_program.h"
#include "fuzzers/drivers/program/profile.h"
#include "fuzzers/drivers/run/driver_runner.h"

namespace cancelsafe::drivers {

// Of all fibers together: larger ones are more than machines finish.
inline constexpr int kMaxDriverCalls = 7;
// What a request has that is not empty, in bytes; how far time moves.
inline constexpr uint32_t kSomeBytes = 16;
inline constexpr uint32_t kSomeMs = 1000;

struct DriverScope {
  int fibers = 2;  // at most, 1..kMaxProgramFibers
  int calls = 1;   // of one fiber, at most; fibers * calls <= kMaxDriverCalls
  int files = 1;   // at most, 1..kMaxFiles
  // Each program also with each of its allocations failing.
  bool failures = false;
  // A bit for each DriverOp that a call may be; 0: all that the driver offers.
  uint32_t operations = 0;

  bool Allows(DriverOp op) const {
    return operations == 0 || (operations >> static_cast<int>(op) & 1) != 0;
  }
  friend bool operator==(const DriverScope& a, const DriverScope& b) {
    return a.fibers == b.fibers && a.calls == b.calls && a.files == b.files &&
           a.failures == b.failures && a.operations == b.operations;
  }
};

// "driver 2x1, 1 file", "driver 2x2, 2 files, failing allocations, calls read+cancel".
std::string ScopeText(const DriverScope& scope);

// The operations of a scope as words joined by '+', "" for all; and read, also with commas. The
// error says which word is wrong and what is allowed.
std::string DriverOperationWords(uint32_t operations);
absl::StatusOr<uint32_t> ReadDriverOperationWords(absl::string_view words);

// What a call can be, but for its file and its request.
struct DriverVariant {
  DriverOp op;
  uint32_t code = 0;
  uint32_t in = 0;
  uint32_t out = 0;
  uint32_t number = 0;
  bool unreadable = false;
  friend bool operator==(const DriverVariant& a, const DriverVariant& b) {
    return a.op == b.op && a.code == b.code && a.in == b.in && a.out == b.out &&
           a.number == b.number && a.unreadable == b.unreadable;
  }
};

// All that the scope allows and the driver, which has told `facts`, can notice: requests that it
// has routines for, empty and not, and of METHOD_NEITHER with buffers that are not there; time
// where it has services of time; unload while requests are under way of a minifilter. Where there
// is a profile, the requests are those that it names, with the ends of each range of lengths.
std::vector<DriverVariant> VariantsOf(const DriverScope& scope, const DriverFacts& facts,
                                      bool has_time, const DriverProfile* profile = nullptr);
// Whether the driver imports a service that knows of time.
bool HasTime(const DriverImage& image);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_SCOPE_H_
