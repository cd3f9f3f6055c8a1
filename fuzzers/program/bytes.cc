#include "fuzzers/program/bytes.h"

#include <algorithm>
#include <cstring>

#include "fuzzers/program/fields.h"

namespace cancelsafe {
namespace {

using schedule::Choice;
using schedule::Kind;

constexpr uint8_t kTag[2] = {0xCA, 's'};

uint32_t Load32(const uint8_t* from) {
  return uint32_t{from[0]} | uint32_t{from[1]} << 8 | uint32_t{from[2]} << 16 |
         uint32_t{from[3]} << 24;
}

void Store32(uint32_t value, uint8_t* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

// Enumerators out of range are left to Normalize.
void DecodeHeader(Family family, const uint8_t* header, Program* program) {
  Setup& setup = program->setup;
  setup.family = family;
  setup.ex = (header[4] & 1) != 0;
  setup.pending_status = (header[4] & 2) != 0;
  setup.lock = static_cast<LockKind>(header[4] >> 2 & 1);
  setup.start_by_key = (header[4] & 8) != 0;
  setup.insert = static_cast<InsertPolicy>(header[4] >> 4 & 3);
  setup.peek = static_cast<PeekPolicy>(header[4] >> 6);
  setup.reentry = static_cast<Reentry>(header[5] & 3);
  setup.reentry_item = header[5] >> 2 & 7;
  setup.start_io = static_cast<StartIoStyle>(header[5] >> 5 & 3);
  setup.failing_insert = header[6] & 15;
  setup.cancelling_insert = header[6] >> 4;
  program->fibers = 1 + header[7] % kMaxFibers;
  program->schedule.kind = static_cast<Kind>(header[8]);
  program->schedule.parameter = header[9];
  program->schedule.seed = Load32(header + 10);
}

void EncodeHeader(const Program& program, int operation_count, uint8_t* header) {
  const Setup& setup = program.setup;
  std::copy_n(kTag, 2, header);
  header[2] = static_cast<uint8_t>(setup.family);
  header[3] = kProgramFormatVersion;
  header[4] =
      static_cast<uint8_t>(setup.ex | setup.pending_status << 1 |
                           static_cast<int>(setup.lock) << 2 | setup.start_by_key << 3 |
                           static_cast<int>(setup.insert) << 4 | static_cast<int>(setup.peek) << 6);
  header[5] = static_cast<uint8_t>(static_cast<int>(setup.reentry) | setup.reentry_item << 2 |
                                   static_cast<int>(setup.start_io) << 5);
  header[6] = static_cast<uint8_t>(setup.failing_insert | setup.cancelling_insert << 4);
  header[7] = static_cast<uint8_t>(program.fibers - 1);
  header[8] = static_cast<uint8_t>(program.schedule.kind);
  header[9] = program.schedule.parameter;
  Store32(program.schedule.seed, header + 10);
  header[14] = static_cast<uint8_t>(operation_count);
  header[15] = 0;
}

void DecodeOperation(const uint8_t* from, Operation* operation) {
  operation->op = static_cast<Op>(from[0] & 63);
  operation->item = from[1] & (kMaxItems - 1);
  operation->irql = from[1] >> 4 & 3;
  operation->flags = from[2];
  operation->selector = from[3];
  operation->key = Load32(from + 4);
}

void EncodeOperation(const Operation& operation, int fiber, uint8_t* to) {
  to[0] = static_cast<uint8_t>(static_cast<int>(operation.op) | fiber << 6);
  to[1] = static_cast<uint8_t>(operation.item | operation.irql << 4);
  to[2] = operation.flags;
  to[3] = operation.selector;
  Store32(operation.key, to + 4);
}

// Puts all of fiber 0 before all of fiber 1 while reading, which is cheaper than
// to sort afterwards.
void DecodeOperations(const uint8_t* data, int count, Program* program) {
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
    DecodeOperation(data + i * kOperationBytes, &program->operations[place]);
    program->fiber_of[place] = static_cast<uint8_t>(fiber_of[i]);
  }
  program->operation_count = count;
}

void DecodeChoices(const uint8_t* data, size_t size, schedule::Schedule* schedule) {
  const int count = static_cast<int>(std::min<size_t>(size / kChoiceBytes, kMaxEncodedChoices));
  for (int i = 0; i < count; ++i) {
    const uint8_t* from = data + i * kChoiceBytes;
    schedule->choices[i] = {static_cast<uint16_t>(from[0] | from[1] << 8), from[2]};
  }
  schedule->choice_count = count;
}

}  // namespace

void DecodeProgram(Family family, const uint8_t* data, size_t size, Program* program) {
  uint8_t header[kProgramHeaderBytes] = {};
  if (size > 0) std::memcpy(header, data, std::min(size, kProgramHeaderBytes));
  DecodeHeader(family, header, program);
  const size_t rest = size > kProgramHeaderBytes ? size - kProgramHeaderBytes : 0;
  const size_t named = std::min<size_t>(header[14], kMaxOperations);
  const size_t count = std::min(named, (rest + kOperationBytes - 1) / kOperationBytes);
  const size_t operation_bytes = count * kOperationBytes;
  if (operation_bytes > rest) {
    uint8_t padded[kMaxOperations * kOperationBytes] = {};
    std::memcpy(padded, data + kProgramHeaderBytes, rest);
    DecodeOperations(padded, static_cast<int>(count), program);
    program->schedule.choice_count = 0;
  } else {
    const uint8_t* body = rest > 0 ? data + kProgramHeaderBytes : header;
    DecodeOperations(body, static_cast<int>(count), program);
    DecodeChoices(body + operation_bytes, rest - operation_bytes, &program->schedule);
  }
  Normalize(program);
}

size_t EncodeProgram(const Program& program, uint8_t* out, size_t capacity) {
  Program normal = program;
  Normalize(&normal);
  return EncodeNormalized(normal, out, capacity);
}

size_t EncodeNormalized(const Program& normal, uint8_t* out, size_t capacity) {
  if (capacity < kProgramHeaderBytes) return 0;
  size_t left = capacity - kProgramHeaderBytes;
  const int operations =
      static_cast<int>(std::min<size_t>(normal.operation_count, left / kOperationBytes));
  left -= operations * kOperationBytes;
  // Choices mean little to a program that lost operations, but they are legal.
  const int choices = std::min(
      {normal.schedule.choice_count, kMaxEncodedChoices, static_cast<int>(left / kChoiceBytes)});
  EncodeHeader(normal, operations, out);
  uint8_t* to = out + kProgramHeaderBytes;
  for (int i = 0; i < operations; ++i, to += kOperationBytes) {
    EncodeOperation(normal.operations[i], normal.fiber_of[i], to);
  }
  for (int i = 0; i < choices; ++i, to += kChoiceBytes) {
    const Choice choice = normal.schedule.choices[i];
    to[0] = static_cast<uint8_t>(choice.step);
    to[1] = static_cast<uint8_t>(choice.step >> 8);
    to[2] = choice.fiber;
  }
  return static_cast<size_t>(to - out);
}

std::optional<Family> DetectFamily(const uint8_t* data, size_t size) {
  if (size < 4 || data[0] != kTag[0] || data[1] != kTag[1] || data[2] >= kFamilyCount) {
    return std::nullopt;
  }
  return static_cast<Family>(data[2]);
}

}  // namespace cancelsafe
