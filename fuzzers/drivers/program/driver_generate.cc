// See driver_generate.h.
#include "fuzzers/drivers/program/driver_generate.h"

#include <algorithm>
#include <iterator>

namespace cancelsafe::drivers {
namespace {

constexpr uint32_t kLengths[] = {0, 1, 4, 8, 16, 64};

class Generator {
 public:
  Generator(const DriverVocabulary& vocabulary, Random* random)
      : vocabulary_(vocabulary), random_(*random) {}

  DriverProgram Make() {
    const int dice = random_.Below(100);
    program_.fibers = dice < 20 ? 1 : dice < 75 ? 2 : 3;
    program_.driver_fibers = vocabulary_.driver_fibers;
    if (vocabulary_.allocations > 0 && random_.Percent(25)) {
      program_.fail_allocation =
          1 + random_.Below(std::min(vocabulary_.allocations, kMaxFailAllocation));
    }
    files_ = random_.Percent(25) ? 2 : 1;
    for (int file = 0; file < files_; ++file)
      Add(DriverOp::kOpen).file = static_cast<uint8_t>(file);
    for (int i = random_.Below(3); i > 0; --i) AddRequest();
    for (int fiber = 0; fiber < program_.fibers; ++fiber) {
      fiber_ = static_cast<uint8_t>(fiber);
      for (int i = 1 + random_.Below(3); i > 0; --i) AddOne();
    }
    program_.schedule = GenerateSchedule(&random_);
    return program_;
  }

 private:
  DriverOperation& Add(DriverOp op) {
    program_.operations.emplace_back();
    DriverOperation& operation = program_.operations.back();
    operation.op = op;
    operation.fiber = fiber_;
    return operation;
  }
  uint8_t AnyFile() { return static_cast<uint8_t>(random_.Below(files_)); }
  uint32_t AnyLength() { return kLengths[random_.Below(static_cast<int>(std::size(kLengths)))]; }

  bool AnyUnreadable(const DriverOperation& operation) {
    return PassesUserAddresses(operation.op, operation.code) && random_.Percent(25);
  }

  uint32_t AnyLengthOf(const LengthRange& range) {
    const int dice = random_.Below(4);
    const uint32_t length = dice == 0   ? range.min
                            : dice == 1 ? range.max
                            : dice == 2
                                ? AnyLength()
                                : static_cast<uint32_t>(random_.Between(
                                      static_cast<int>(range.min), static_cast<int>(range.max)));
    return std::min(std::max(length, range.min), range.max);
  }

  void AddFromProfile() {
    const ProfileRequest& request = vocabulary_.requests[static_cast<size_t>(
        random_.Below(static_cast<int>(vocabulary_.requests.size())))];
    DriverOperation& operation = Add(request.op);
    operation.request = static_cast<uint8_t>(requests_++);
    operation.file = AnyFile();
    operation.code = request.code;
    operation.in = AnyLengthOf(request.in);
    operation.out = AnyLengthOf(request.out);
    operation.unreadable = AnyUnreadable(operation);
  }

  void AddRequest() {
    if (requests_ == kMaxRequests) return;
    if (!vocabulary_.requests.empty()) return AddFromProfile();
    DriverOp kinds[8];
    int count = 0;
    if (vocabulary_.reads) kinds[count++] = DriverOp::kRead;
    if (vocabulary_.reads) kinds[count++] = DriverOp::kRead;
    if (vocabulary_.writes) kinds[count++] = DriverOp::kWrite;
    if (!vocabulary_.codes.empty()) kinds[count++] = DriverOp::kIoctl;
    if (count == 0) return;
    DriverOperation& operation = Add(kinds[random_.Below(count)]);
    const DriverOpRow& row = InfoOf(operation.op);
    operation.request = static_cast<uint8_t>(requests_++);
    operation.file = AnyFile();
    if (row.in) operation.in = AnyLength();
    if (row.out) operation.out = AnyLength();
    if (row.code) {
      operation.code = vocabulary_.codes[static_cast<size_t>(
          random_.Below(static_cast<int>(vocabulary_.codes.size())))];
      operation.unreadable = AnyUnreadable(operation);
    }
  }

  void AddOne() {
    if (vocabulary_.unloads && random_.Percent(8)) {
      Add(DriverOp::kUnload);
      return;
    }
    const int dice = random_.Below(100);
    if (dice < 28 && requests_ != 0) {
      Add(DriverOp::kCancel).request = static_cast<uint8_t>(random_.Below(requests_));
    } else if (dice < 36) {
      Add(DriverOp::kCleanup).file = AnyFile();
    } else if (dice < 38) {
      Add(DriverOp::kClose).file = AnyFile();
    } else if (dice < 44) {
      Add(DriverOp::kAdvance).number = 1u << random_.Below(12);
    } else {
      AddRequest();
    }
  }

  const DriverVocabulary& vocabulary_;
  Random& random_;
  DriverProgram program_;
  int files_ = 1;
  int requests_ = 0;
  uint8_t fiber_ = kBefore;
};

}  // namespace

schedule::Schedule GenerateSchedule(Random* random) {
  schedule::Schedule schedule;
  schedule.kind = static_cast<schedule::Kind>(1 + random->Below(schedule::kKindCount - 1));
  schedule.parameter = static_cast<uint8_t>(random->Next());
  schedule.seed = static_cast<uint32_t>(random->Next());
  return schedule;
}

DriverProgram GenerateDriverProgram(const DriverVocabulary& vocabulary, Random* random) {
  return Generator(vocabulary, random).Make();
}

}  // namespace cancelsafe::drivers
