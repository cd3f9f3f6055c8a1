#include "fuzzers/program/bytes.h"

#include <algorithm>
#include <cstring>

#include "fuzzers/program/bytes_version_1.h"
#include "fuzzers/program/schedules.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr uint8_t kTag[2] = {0xCA, 's'};
// How an operation shares its second byte between item and IRQL.
struct ItemByte {
  uint8_t item_mask;
  int irql_shift;
};
constexpr ItemByte kItemByte = {kMaxItems - 1, 6};
constexpr ItemByte kVersion1ItemByte = {7, 4};
constexpr int kVersion1Operations = 48;

constexpr size_t kVersionAt = 3;

// Enumerators out of range are left to Normalize.
void DecodeHeader(const uint8_t* header, Program* program) {
  program->fibers = 1 + header[4] % kMaxFibers;
  program->schedules = 1 + header[5] % kMaxSchedules;
  DecodeScheduler(header + 6, &program->schedule);
  program->schedule.memory = DecodeMemory(header[15]);
}

void EncodeHeader(const Program& program, int setting_count, int operation_count, int stale_count,
                  uint8_t* header) {
  std::copy_n(kTag, 2, header);
  header[2] = static_cast<uint8_t>(program.setup.family);
  header[kVersionAt] = kProgramFormatVersion;
  header[4] = static_cast<uint8_t>(program.fibers - 1);
  header[5] = static_cast<uint8_t>(program.schedules - 1);
  EncodeScheduler(program.schedule, header + 6);
  header[12] = static_cast<uint8_t>(operation_count);
  header[13] = static_cast<uint8_t>(operation_count >> 8);
  header[14] = static_cast<uint8_t>(setting_count);
  header[15] = EncodeMemory(program.schedule.memory, stale_count);
}

void DecodeSettings(const uint8_t* data, size_t count, Setup* setup) {
  const SetupFields fields = AllSetupFields();
  for (size_t i = 0; i < count; ++i, data += kSettingBytes) {
    if (data[0] >= fields.count) continue;
    const SetupField& field = fields[data[0]];
    field.Set(setup, data[1] <= field.max ? data[1] : data[1] % (field.max + 1));
  }
}

// Writes the settings that are not plain; returns their number.
int EncodeSettings(const Setup& setup, uint8_t* out) {
  const Setup& plain = InfoOf(setup.family).setup;
  const SetupFields fields = AllSetupFields();
  int count = 0;
  for (int i = 0; i < fields.count; ++i) {
    const int value = fields[i].Get(setup);
    if (value == fields[i].Get(plain)) continue;
    out[count * kSettingBytes] = static_cast<uint8_t>(i);
    out[count * kSettingBytes + 1] = static_cast<uint8_t>(value);
    ++count;
  }
  return count;
}

void DecodeOperation(const uint8_t* from, ItemByte layout, Operation* operation) {
  operation->op = static_cast<Op>(from[0] & 63);
  operation->item = from[1] & layout.item_mask;
  operation->irql = from[1] >> layout.irql_shift & 3;
  operation->flags = from[2];
  operation->selector = from[3];
  operation->key = Load32(from + 4);
}

void EncodeOperation(const Operation& operation, int fiber, uint8_t* to) {
  to[0] = static_cast<uint8_t>(static_cast<int>(operation.op) | fiber << 6);
  to[1] = static_cast<uint8_t>(operation.item | operation.irql << kItemByte.irql_shift);
  to[2] = operation.flags;
  to[3] = operation.selector;
  Store32(operation.key, to + 4);
}

// Puts all of fiber 0 before all of fiber 1 while reading, which is cheaper than
// to sort afterwards.
void DecodeOperations(const uint8_t* data, int count, ItemByte layout, Program* program) {
  const int fibers = program->fibers;
  int next[kMaxFibers] = {};
  int fiber_of[kMaxOperations];
  for (int i = 0; i < count; ++i) {
    int fiber = data[i * kOperationBytes] >> 6;
    if (fiber >= fibers) fiber %= fibers;
    fiber_of[i] = fiber;
    ++next[fiber];
  }
  for (int fiber = 0, start = 0; fiber < fibers; ++fiber) {
    const int size = next[fiber];
    next[fiber] = start;
    start += size;
  }
  for (int i = 0; i < count; ++i) {
    const int place = next[fiber_of[i]]++;
    DecodeOperation(data + i * kOperationBytes, layout, &program->operations[place]);
    program->fiber_of[place] = static_cast<uint8_t>(fiber_of[i]);
  }
  program->operation_count = count;
}

}  // namespace

ProgramLayout LayoutOf(const uint8_t* header) {
  ProgramLayout layout;
  if (header[kVersionAt] == 1) {
    layout.operations = header[14];
    return layout;
  }
  layout.operations = static_cast<size_t>(header[12] | header[13] << 8);
  layout.settings = header[14];
  layout.stale_choices = DecodeStaleCount(header[15]);
  layout.operations_at += layout.settings * kSettingBytes;
  return layout;
}

void DecodeProgram(Family family, const uint8_t* data, size_t size, Program* program) {
  uint8_t header[kProgramHeaderBytes] = {};
  if (size > 0) std::memcpy(header, data, std::min(size, kProgramHeaderBytes));
  const bool version_1 = header[kVersionAt] == 1;
  program->setup = InfoOf(family).setup;
  ProgramLayout layout = LayoutOf(header);
  layout.settings = std::min(layout.settings, kMaxSettings);
  layout.operations_at = kProgramHeaderBytes + layout.settings * kSettingBytes;
  // What a cut file lacks is zero.
  uint8_t padded[kMaxProgramBytes];
  const size_t named =
      std::min<size_t>(layout.operations, version_1 ? kVersion1Operations : kMaxOperations);
  const size_t rest = size > layout.operations_at ? size - layout.operations_at : 0;
  const size_t count = std::min(named, (rest + kOperationBytes - 1) / kOperationBytes);
  const size_t operations_end = layout.operations_at + count * kOperationBytes;
  if (size < operations_end) {
    if (size > 0) std::memcpy(padded, data, size);
    std::memset(padded + size, 0, operations_end - size);
    data = padded;
    size = operations_end;
  }
  if (version_1) {
    DecodeVersion1Header(header, program);
    program->schedule.memory = schedule::MemoryModel::kUnnamed;
  } else {
    DecodeHeader(header, program);
    DecodeSettings(data + kProgramHeaderBytes, layout.settings, &program->setup);
  }
  DecodeOperations(data + layout.operations_at, static_cast<int>(count),
                   version_1 ? kVersion1ItemByte : kItemByte, program);
  DecodeScheduleLists(data + operations_end, size - operations_end, layout.stale_choices,
                      &program->schedule);
  Normalize(program);
  if (version_1) program->schedules = UsualSchedules(*program);
}

size_t EncodeProgram(const Program& program, uint8_t* out, size_t capacity) {
  Program normal = program;
  Normalize(&normal);
  return EncodeNormalized(normal, out, capacity);
}

size_t EncodeNormalized(const Program& normal, uint8_t* out, size_t capacity) {
  if (capacity < kProgramHeaderBytes) return 0;
  uint8_t settings[kMaxSettings * kSettingBytes];
  const int setting_count =
      std::min(EncodeSettings(normal.setup, settings),
               static_cast<int>((capacity - kProgramHeaderBytes) / kSettingBytes));
  const size_t before = kProgramHeaderBytes + setting_count * kSettingBytes;
  size_t left = capacity - before;
  const int operations =
      static_cast<int>(std::min<size_t>(normal.operation_count, left / kOperationBytes));
  left -= operations * kOperationBytes;
  // Choices mean little to a program that lost operations, but they are legal.
  const ScheduleListSizes lists = ScheduleListsIn(left, normal.schedule);
  EncodeHeader(normal, setting_count, operations, lists.stale, out);
  uint8_t* to = std::copy_n(settings, setting_count * kSettingBytes, out + kProgramHeaderBytes);
  for (int i = 0; i < operations; ++i, to += kOperationBytes) {
    EncodeOperation(normal.operations[i], normal.fiber_of[i], to);
  }
  to = EncodeScheduleLists(normal.schedule, lists, to);
  return static_cast<size_t>(to - out);
}

std::optional<Family> DetectFamily(const uint8_t* data, size_t size) {
  if (size < 4 || data[0] != kTag[0] || data[1] != kTag[1] || data[2] >= kFamilyCount) {
    return std::nullopt;
  }
  return static_cast<Family>(data[2]);
}

}  // namespace cancelsafe
