// What a driver was seen to want: the control codes, lengths and bytes of input with which its
// code compares what a request brought, and what its runs need. Written by whatever runs the
// driver, read by whatever makes programs for it, which may be other processes that map the
// same file. Knows no run.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_LEARNT_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_LEARNT_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/shared_file.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_program.h"

namespace cancelsafe::drivers {

// Bytes of an input that the driver compared with something else: what that was. Of a write
// the code is 0.
struct LearntBytes {
  DriverOp op = DriverOp::kWrite;
  uint32_t code = 0;
  uint8_t at = 0;    // in the input
  uint8_t size = 0;  // 1, 2, 4 or 8
  uint64_t value = 0;
};

// Plain memory: zeros are "nothing yet", so a fresh file is one. What comes when a pool is full
// is dropped. All calls are safe with other processes; within a process one thread calls.
class DriverLearnt {
 public:
  static constexpr uint64_t kLayoutName = 0x6c65'61726e'7431;  // "learnt1"; see SharedLayout
  SharedLayout layout;

  static constexpr int kMaxCodes = 128;
  static constexpr int kMaxLengths = 64;
  static constexpr int kMaxBytes = 1024;

  // Maps `path`: see MapSharedFile.
  static DriverLearnt* Map(const std::string& path, std::string* error);

  // What the driver has, from a run that loads it.
  void AddKinds(bool reads, bool writes, bool controls, bool filters = false);
  // O(pool).
  void AddCode(uint32_t code);
  void AddLength(uint32_t length);
  void AddBytes(const LearntBytes& bytes);
  // What a run needed or made, where that is more than any before.
  void AddRun(int driver_fibers, int allocations);

  // Of what is known so far.
  DriverVocabulary Vocabulary() const;
  bool AnyLength(Random* random, uint32_t* length) const;
  // Bytes for the input of this operation; false if none are known, or if few are and luck fails.
  bool AnyBytes(const DriverOperation& operation, Random* random, LearntBytes* bytes) const;

 private:
  // A value with a mark that tells it from an empty place.
  using Value = std::atomic<uint64_t>;
  struct Bytes {
    std::atomic<uint64_t> key;  // what of LearntBytes is not the value, marked
    std::atomic<uint64_t> value;
  };
  static void Raise(std::atomic<uint32_t>* number, int value);
  static void AddTo(Value* pool, int size, std::atomic<uint32_t>* count, uint32_t value);

  std::atomic<uint32_t> kinds_;
  std::atomic<uint32_t> driver_fibers_;
  std::atomic<uint32_t> allocations_;
  std::atomic<uint32_t> code_count_;  // places taken, or more
  std::atomic<uint32_t> length_count_;
  std::atomic<uint32_t> bytes_count_;
  Value codes_[kMaxCodes];
  Value lengths_[kMaxLengths];
  Bytes bytes_[kMaxBytes];
};

struct Comparison {
  uint64_t a;
  uint64_t b;
  size_t size;     // of the values, in bytes
  uintptr_t site;  // where in the driver's code
};

// Learns from a comparison that was made while the driver worked on `operation`. If one value is
// the request's code, a length of it or a piece of its input, the other is what the driver looks
// for. If one value differed at that site from request to request as their codes did (by the
// same distance, a fourth of it, or the same bits), the driver reckons with the code, and what it
// looks for is the code for which the values would be equal; likewise for a piece of the input.
// Most comparisons are repeated and cost a look at a small table.
void LearnFromComparison(const DriverOperation& operation, const Comparison& comparison,
                         DriverLearnt* learnt);

// Whether a value looks like a control code of a vendor's driver: FILE_DEVICE_UNKNOWN or a
// vendor's device type, and a vendor's function.
bool LooksLikeControlCode(uint32_t value);
// The first one of FILE_DEVICE_UNKNOWN: function 0x800, buffered, any access.
inline constexpr uint32_t kFirstControlCode = 0x222000;

// The bytes of an operation's input: those that it says, then its letter.
uint8_t InputByte(const DriverOperation& operation, uint32_t at);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_LEARNT_H_
