// A program for a driver: the requests that are sent to it, on which fiber, what fails, and
// the schedule. Plain values; knows no driver and no run.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_PROGRAM_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_PROGRAM_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::drivers {

inline constexpr int kMaxProgramFibers = 4;
// One fiber loads the driver, opens, and brings the run to its end; the rest is the driver's.
inline constexpr int kMaxDriverFibers = 3;
static_assert(1 + kMaxProgramFibers + kMaxDriverFibers <= schedule::kFiberCapacity,
              "the executor has room for all fibers");
inline constexpr int kMaxFiles = 4;
inline constexpr int kMaxRequests = 16;
inline constexpr int kMaxOperations = 48;
inline constexpr uint32_t kMaxLength = 4096;
// Bytes of an input that a program says.
inline constexpr int kMaxData = 32;
inline constexpr uint32_t kMaxAdvanceMs = 1000000;
inline constexpr int kMaxFailAllocation = 1000;
// The fiber of what is done before the fibers start, one after another.
inline constexpr uint8_t kBefore = 0xff;

enum class DriverOp : uint8_t {
#define CANCELSAFE_DRIVER_OPERATION(op, word, request, file, code, in, out, number) op,
#include "fuzzers/drivers/program/driver_operations.def"
#undef CANCELSAFE_DRIVER_OPERATION
};

struct DriverOpRow {
  const char* word;
  bool request, file, code, in, out, number;
};
inline constexpr DriverOpRow kDriverOps[] = {
#define CANCELSAFE_DRIVER_OPERATION(op, word, request, file, code, in, out, number) \
  {word, request, file, code, in, out, number},
#include "fuzzers/drivers/program/driver_operations.def"
#undef CANCELSAFE_DRIVER_OPERATION
};
inline constexpr int kDriverOpCount = sizeof(kDriverOps) / sizeof(kDriverOps[0]);
inline const DriverOpRow& InfoOf(DriverOp op) { return kDriverOps[static_cast<int>(op)]; }

// Whether the driver gets the caller's addresses as they are.
inline constexpr uint32_t kMethodNeither = 3;
inline bool PassesUserAddresses(DriverOp op, uint32_t code) {
  return InfoOf(op).code && (code & 3) == kMethodNeither;
}

// Fields that the operation does not have are 0.
struct DriverOperation {
  DriverOp op = DriverOp::kOpen;
  uint8_t fiber = kBefore;
  uint8_t request = 0;
  uint8_t file = 0;
  uint32_t code = 0;
  uint32_t in = 0;
  uint32_t out = 0;
  uint32_t number = 0;
  bool unreadable = false;  // the caller's buffers are not there (METHOD_NEITHER alone)
  // The first bytes of the input, at most `in` of them; those behind are the letter of the
  // request, 'A' for 0, or what a profile says.
  uint8_t data_size = 0;
  uint8_t data[kMaxData] = {};
  friend bool operator==(const DriverOperation& a, const DriverOperation& b) {
    return a.op == b.op && a.fiber == b.fiber && a.request == b.request && a.file == b.file &&
           a.code == b.code && a.in == b.in && a.out == b.out && a.number == b.number &&
           a.unreadable == b.unreadable && a.data_size == b.data_size &&
           std::equal(a.data, a.data + a.data_size, b.data);
  }
};

struct DriverProgram {
  int fibers = 1;                           // 1..kMaxProgramFibers
  int driver_fibers = 0;                    // for what the driver starts, 0..kMaxDriverFibers
  int fail_allocation = 0;                  // the k-th allocation fails; 0: none
  std::vector<DriverOperation> operations;  // those of kBefore first, then by fiber
  schedule::Schedule schedule;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_PROGRAM_H_
