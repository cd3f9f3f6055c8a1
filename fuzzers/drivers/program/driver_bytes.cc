// See driver_bytes.h.
#include "fuzzers/drivers/program/driver_bytes.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/string_view.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {
namespace {

constexpr uint8_t kTag[2] = {0xCA, 'd'};
constexpr int kShift = 4;
constexpr uint8_t kLowMask = 15;
constexpr uint8_t kUnreadable = 0x80;  // beside the number of bytes of data
static_assert(kDriverOpCount <= kLowMask + 1 && kMaxRequests == kLowMask + 1);
static_assert(kMaxData < kUnreadable);

uint16_t Load16(const uint8_t* from) { return static_cast<uint16_t>(from[0] | from[1] << 8); }
void Store16(uint32_t value, uint8_t* to) {
  to[0] = static_cast<uint8_t>(value);
  to[1] = static_cast<uint8_t>(value >> 8);
}

// Reads what is there; zeros behind the end.
class Reader {
 public:
  Reader(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  void Take(void* to, size_t count) {
    const size_t there = std::min(count, size_);
    if (there != 0) std::memcpy(to, data_, there);
    std::memset(static_cast<uint8_t*>(to) + there, 0, count - there);
    data_ += there;
    size_ -= there;
  }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_;
};

void NormalizeOperation(int fibers, DriverOperation* operation) {
  if (static_cast<int>(operation->op) >= kDriverOpCount) {
    operation->op = static_cast<DriverOp>(static_cast<int>(operation->op) % kDriverOpCount);
  }
  const DriverOpRow& row = InfoOf(operation->op);
  if (operation->fiber != kBefore) {
    operation->fiber = static_cast<uint8_t>(operation->fiber % fibers);
  }
  operation->request = row.request ? static_cast<uint8_t>(operation->request % kMaxRequests) : 0;
  operation->file = row.file ? static_cast<uint8_t>(operation->file % kMaxFiles) : 0;
  if (!row.code) operation->code = 0;
  operation->in = row.in ? std::min(operation->in, kMaxLength) : 0;
  operation->out = row.out ? std::min(operation->out, kMaxLength) : 0;
  operation->number = row.number ? std::min(operation->number, kMaxAdvanceMs) : 0;
  operation->unreadable &= PassesUserAddresses(operation->op, operation->code);
  operation->data_size = static_cast<uint8_t>(
      std::min({uint32_t{operation->data_size}, uint32_t{kMaxData}, operation->in}));
  std::fill(operation->data + operation->data_size, std::end(operation->data), uint8_t{0});
}

// The first request with a number keeps it; later ones get one that no operation names, or the
// lowest that none sends.
void NumberRequests(std::vector<DriverOperation>* operations) {
  uint32_t sent = 0;
  for (size_t i = 0; i < operations->size();) {
    DriverOperation& operation = (*operations)[i];
    const DriverOpRow& row = InfoOf(operation.op);
    if (!row.request || !row.file) {
      ++i;
      continue;
    }
    if ((sent >> operation.request & 1) != 0) {
      uint32_t used = sent;
      for (const DriverOperation& other : *operations) {
        if (InfoOf(other.op).request) used |= 1u << other.request;
      }
      const uint32_t all = (1u << kMaxRequests) - 1;
      const uint32_t free = (used & all) != all ? ~used : ~sent & all;
      if (free == 0) {
        operations->erase(operations->begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      operation.request = static_cast<uint8_t>(__builtin_ctz(free));
    }
    sent |= 1u << operation.request;
    ++i;
  }
}

// What comes before the fibers is in front of fiber 0.
int PlaceOf(const DriverOperation& operation) {
  return operation.fiber == kBefore ? 0 : 1 + operation.fiber;
}

}  // namespace

void NormalizeDriverProgram(DriverProgram* program) {
  program->fibers = std::clamp(program->fibers, 1, kMaxProgramFibers);
  program->driver_fibers = std::clamp(program->driver_fibers, 0, kMaxDriverFibers);
  program->fail_allocation = std::clamp(program->fail_allocation, 0, kMaxFailAllocation);
  std::vector<DriverOperation>& operations = program->operations;
  if (operations.size() > kMaxOperations) operations.resize(kMaxOperations);
  for (DriverOperation& operation : operations) NormalizeOperation(program->fibers, &operation);
  const auto earlier = [](const DriverOperation& a, const DriverOperation& b) {
    return PlaceOf(a) < PlaceOf(b);
  };
  // Insertion: stable without a buffer, and programs are short and nearly sorted.
  for (auto next = operations.begin(); next != operations.end(); ++next) {
    std::rotate(std::upper_bound(operations.begin(), next, *next, earlier), next, next + 1);
  }
  NumberRequests(&operations);
  NormalizeSchedule(&program->schedule, FibersOf(*program));
}

void DecodeDriverProgram(const uint8_t* data, size_t size, DriverProgram* program) {
  Reader reader(data, size);
  uint8_t header[kDriverHeaderBytes];
  reader.Take(header, sizeof header);
  program->fibers = 1 + header[3] % kMaxProgramFibers;
  program->driver_fibers = header[4] % (kMaxDriverFibers + 1);
  program->fail_allocation = Load16(header + 5) % (kMaxFailAllocation + 1);
  program->schedule.memory = DecodeMemory(header[7]);
  DecodeScheduler(header + 8, &program->schedule);
  program->operations.clear();
  const int named = std::min<int>(header[14], kMaxOperations);
  for (int i = 0; i < named && reader.size() != 0; ++i) {
    uint8_t bytes[kDriverOperationBytes];
    reader.Take(bytes, sizeof bytes);
    DriverOperation operation;
    operation.op = static_cast<DriverOp>(bytes[0] & kLowMask);
    const int place = (bytes[0] >> kShift) % (1 + kMaxProgramFibers);
    operation.fiber = place == 0 ? kBefore : static_cast<uint8_t>(place - 1);
    operation.request = bytes[1] & kLowMask;
    operation.file = bytes[1] >> kShift;
    operation.code = operation.number = Load32(bytes + 2);
    operation.in = Load16(bytes + 6);
    operation.out = Load16(bytes + 8);
    operation.unreadable = (bytes[10] & kUnreadable) != 0;
    operation.data_size = static_cast<uint8_t>(std::min<int>(bytes[10] & ~kUnreadable, kMaxData));
    reader.Take(operation.data, operation.data_size);
    program->operations.push_back(operation);
  }
  DecodeScheduleLists(reader.data(), reader.size(), DecodeStaleCount(header[7]),
                      &program->schedule);
  NormalizeDriverProgram(program);
}

size_t EncodeDriverProgram(const DriverProgram& given, uint8_t* out, size_t capacity) {
  if (capacity < kDriverHeaderBytes) return 0;
  DriverProgram program = given;
  NormalizeDriverProgram(&program);
  uint8_t* to = out + kDriverHeaderBytes;
  const uint8_t* const end = out + capacity;
  uint8_t count = 0;
  for (const DriverOperation& operation : program.operations) {
    if (static_cast<size_t>(end - to) < kDriverOperationBytes + operation.data_size) break;
    to[0] = static_cast<uint8_t>(static_cast<int>(operation.op) | PlaceOf(operation) << kShift);
    to[1] = static_cast<uint8_t>(operation.request | operation.file << kShift);
    Store32(InfoOf(operation.op).number ? operation.number : operation.code, to + 2);
    Store16(operation.in, to + 6);
    Store16(operation.out, to + 8);
    to[10] = static_cast<uint8_t>(operation.data_size | (operation.unreadable ? kUnreadable : 0));
    to = std::copy_n(operation.data, operation.data_size, to + kDriverOperationBytes);
    ++count;
  }
  const ScheduleListSizes lists = ScheduleListsIn(static_cast<size_t>(end - to), program.schedule);
  std::copy_n(kTag, 2, out);
  out[2] = kDriverFormatVersion;
  out[3] = static_cast<uint8_t>(program.fibers - 1);
  out[4] = static_cast<uint8_t>(program.driver_fibers);
  Store16(static_cast<uint32_t>(program.fail_allocation), out + 5);
  out[7] = EncodeMemory(program.schedule.memory, lists.stale);
  EncodeScheduler(program.schedule, out + 8);
  out[14] = count;
  to = EncodeScheduleLists(program.schedule, lists, to);
  return static_cast<size_t>(to - out);
}

void LoadDriverProgram(const uint8_t* data, size_t size, DriverProgram* program) {
  // A text begins with '#', 't' or space, never with the tag.
  if (size != 0 && data[0] != kTag[0]) {
    const absl::string_view text(reinterpret_cast<const char*>(data), size);
    if (IsDriverProgramText(text)) {
      absl::StatusOr<DriverProgramFile> file = ParseDriverProgram(text);
      if (file.ok()) {
        *program = std::move(file->program);
        NormalizeDriverProgram(program);
        return;
      }
    }
  }
  DecodeDriverProgram(data, size, program);
}

}  // namespace cancelsafe::drivers
