// See driver_learnt.h.
#include "fuzzers/drivers/program/driver_learnt.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cancelsafe::drivers {
namespace {

constexpr uint64_t kMark = uint64_t{1} << 63;
constexpr uint32_t kReads = 1, kWrites = 2, kControls = 4, kKnown = 8, kFilters = 16;

// Marked, op, size and place above the code.
uint64_t KeyOf(const LearntBytes& bytes) {
  return kMark | uint64_t{static_cast<uint8_t>(bytes.op)} << 48 | uint64_t{bytes.size} << 40 |
         uint64_t{bytes.at} << 32 | bytes.code;
}

LearntBytes BytesOf(uint64_t key, uint64_t value) {
  LearntBytes bytes;
  bytes.op = static_cast<DriverOp>(key >> 48 & 0xff);
  bytes.size = static_cast<uint8_t>(key >> 40);
  bytes.at = static_cast<uint8_t>(key >> 32);
  bytes.code = static_cast<uint32_t>(key);
  bytes.value = value;
  return bytes;
}

int Places(const std::atomic<uint32_t>& count, int size) {
  return static_cast<int>(
      std::min(count.load(std::memory_order_relaxed), static_cast<uint32_t>(size)));
}

uint64_t Mixed(uint64_t value) { return Random(value).Next(); }

uint64_t Masked(uint64_t value, size_t size) {
  return size >= 8 ? value : value & ((uint64_t{1} << (8 * size)) - 1);
}

}  // namespace

// CTL_CODE: device type, access, function, method. Functions of vendors begin at 0x800.
bool LooksLikeControlCode(uint32_t value) {
  const uint32_t device = value >> 16;
  const uint32_t function = value >> 2 & 0xfff;
  return (device == 0x22 || (device >= 0x8000 && device < 0x9000)) && function >= 0x800 &&
         function < 0xa00;
}

uint8_t InputByte(const DriverOperation& operation, uint32_t at) {
  return at < operation.data_size ? operation.data[at]
                                  : static_cast<uint8_t>('A' + operation.request);
}

DriverLearnt* DriverLearnt::Map(const std::string& path, std::string* error) {
  return MapSharedFile<DriverLearnt>(path, error);
}

void DriverLearnt::AddKinds(bool reads, bool writes, bool controls, bool filters) {
  kinds_.fetch_or(kKnown | (filters ? kFilters : 0) | (reads ? kReads : 0) |
                      (writes ? kWrites : 0) | (controls ? kControls : 0),
                  std::memory_order_relaxed);
}

void DriverLearnt::AddTo(Value* pool, int size, std::atomic<uint32_t>* count, uint32_t value) {
  const uint64_t marked = kMark | value;
  const int places = Places(*count, size);
  for (int i = 0; i < places; ++i) {
    if (pool[i].load(std::memory_order_relaxed) == marked) return;
  }
  if (places == size) return;
  const uint32_t place = count->fetch_add(1, std::memory_order_relaxed);
  if (place < static_cast<uint32_t>(size)) pool[place].store(marked, std::memory_order_relaxed);
}

void DriverLearnt::AddCode(uint32_t code) { AddTo(codes_, kMaxCodes, &code_count_, code); }
void DriverLearnt::AddLength(uint32_t length) {
  if (length <= kMaxLength) AddTo(lengths_, kMaxLengths, &length_count_, length);
}

void DriverLearnt::AddBytes(const LearntBytes& bytes) {
  const uint64_t key = KeyOf(bytes);
  const int places = Places(bytes_count_, kMaxBytes);
  for (int i = 0; i < places; ++i) {
    if (bytes_[i].key.load(std::memory_order_relaxed) == key &&
        bytes_[i].value.load(std::memory_order_relaxed) == bytes.value) {
      return;
    }
  }
  if (places == kMaxBytes) return;
  const uint32_t place = bytes_count_.fetch_add(1, std::memory_order_relaxed);
  if (place >= kMaxBytes) return;
  bytes_[place].value.store(bytes.value, std::memory_order_relaxed);
  bytes_[place].key.store(key, std::memory_order_release);
}

void DriverLearnt::Raise(std::atomic<uint32_t>* number, int value) {
  const auto wanted = static_cast<uint32_t>(value);
  uint32_t known = number->load(std::memory_order_relaxed);
  while (known < wanted &&
         !number->compare_exchange_weak(known, wanted, std::memory_order_relaxed)) {
  }
}

void DriverLearnt::AddRun(int driver_fibers, int allocations) {
  Raise(&driver_fibers_, std::min(driver_fibers, kMaxDriverFibers));
  Raise(&allocations_, allocations);
}

DriverVocabulary DriverLearnt::Vocabulary() const {
  DriverVocabulary vocabulary;
  const uint32_t kinds = kinds_.load(std::memory_order_relaxed);
  if ((kinds & kKnown) != 0) {
    vocabulary.reads = (kinds & kReads) != 0;
    vocabulary.writes = (kinds & kWrites) != 0;
    vocabulary.unloads = (kinds & kFilters) != 0;
  }
  if ((kinds & kControls) != 0) {
    for (int i = 0; i < Places(code_count_, kMaxCodes); ++i) {
      const uint64_t code = codes_[i].load(std::memory_order_relaxed);
      if (code != 0) vocabulary.codes.push_back(static_cast<uint32_t>(code));
    }
    // One to begin with, from which comparisons lead on.
    if (vocabulary.codes.empty()) vocabulary.codes.push_back(kFirstControlCode);
  }
  vocabulary.driver_fibers = static_cast<int>(driver_fibers_.load(std::memory_order_relaxed));
  vocabulary.allocations = static_cast<int>(allocations_.load(std::memory_order_relaxed));
  return vocabulary;
}

bool DriverLearnt::AnyLength(Random* random, uint32_t* length) const {
  const int places = Places(length_count_, kMaxLengths);
  if (places == 0) return false;
  const uint64_t value = lengths_[random->Below(places)].load(std::memory_order_relaxed);
  *length = static_cast<uint32_t>(value);
  return value != 0;
}

bool DriverLearnt::AnyBytes(const DriverOperation& operation, Random* random,
                            LearntBytes* bytes) const {
  constexpr int kTries = 24;
  const int places = Places(bytes_count_, kMaxBytes);
  for (int i = 0; i < kTries && places != 0; ++i) {
    const Bytes& known = bytes_[random->Below(places)];
    const uint64_t key = known.key.load(std::memory_order_acquire);
    *bytes = BytesOf(key, known.value.load(std::memory_order_relaxed));
    if (key != 0 && bytes->op == operation.op && bytes->code == operation.code) return true;
  }
  return false;
}

namespace {

// A value that was compared at a site before, and the code of the request then.
struct Sight {
  uintptr_t site = 0;
  uint32_t code = 0;
  uint32_t value = 0;
};

// `have` was compared with `want` at a site; the number of the site says on which side it was.
void LearnCode(uint32_t code, uint32_t have, uint32_t want, uintptr_t site, DriverLearnt* learnt) {
  if (have == code) {
    learnt->AddCode(want);
    return;
  }
  static Sight sights[1024];
  Sight& before = sights[Mixed(site) % std::size(sights)];
  const Sight now = {site, code, have};
  const Sight last = std::exchange(before, now);
  if (last.site != site || last.code == code || last.value == have) return;
  const uint32_t codes = code - last.code;
  const uint32_t values = have - last.value;
  const uint32_t missing = want - have;
  if (codes == values) learnt->AddCode(code + missing);
  // The compiler's form of the cases of a switch.
  if (codes == values * 4) learnt->AddCode(code + missing * 4);
  if ((code ^ last.code) == (have ^ last.value)) learnt->AddCode(code ^ have ^ want);
}

uint64_t WindowOf(const DriverOperation& operation, uint32_t at, size_t size) {
  uint64_t window = 0;
  for (size_t i = 0; i < size; ++i) {
    window |= uint64_t{InputByte(operation, at + static_cast<uint32_t>(i))} << (8 * i);
  }
  return window;
}

void AddBytesAt(const DriverOperation& operation, uint32_t at, size_t size, uint64_t value,
                DriverLearnt* learnt) {
  LearntBytes bytes;
  bytes.op = operation.op;
  bytes.code = operation.code;
  bytes.at = static_cast<uint8_t>(at);
  bytes.size = static_cast<uint8_t>(size);
  bytes.value = Masked(value, size);
  learnt->AddBytes(bytes);
}

// A value that was compared at a site before, and the request then.
struct InputSight {
  uintptr_t site = 0;
  uint64_t value = 0;
  DriverOperation operation;
};

// As LearnCode, for each piece of the input.
void LearnReckoned(const DriverOperation& operation, uint64_t have, uint64_t want, size_t size,
                   uintptr_t site, DriverLearnt* learnt) {
  static InputSight sights[256];
  InputSight& before = sights[Mixed(site) % std::size(sights)];
  const InputSight last = std::exchange(before, InputSight{site, have, operation});
  if (last.site != site || last.value == have || last.operation.op != operation.op ||
      last.operation.code != operation.code) {
    return;
  }
  const uint32_t shown = std::min({operation.in, last.operation.in, uint32_t{kMaxData}});
  for (uint32_t at = 0; at + size <= shown; ++at) {
    const uint64_t then = WindowOf(last.operation, at, size);
    const uint64_t now = WindowOf(operation, at, size);
    if (then == now) continue;
    if (Masked(now - then, size) == Masked(have - last.value, size)) {
      AddBytesAt(operation, at, size, now + want - have, learnt);
    } else if ((now ^ then) == (have ^ last.value)) {
      AddBytesAt(operation, at, size, now ^ have ^ want, learnt);
    }
  }
}

void Learn(const DriverOperation& operation, uint64_t have, uint64_t want, size_t size,
           uintptr_t side, DriverLearnt* learnt) {
  if (operation.op == DriverOp::kIoctl && size == 4) {
    LearnCode(operation.code, static_cast<uint32_t>(have), static_cast<uint32_t>(want), side,
              learnt);
  }
  const DriverOpRow& row = InfoOf(operation.op);
  // Small numbers are compared everywhere.
  constexpr uint64_t kTelling = 16;
  if (have >= kTelling &&
      ((row.in && have == operation.in) || (row.out && have == operation.out))) {
    if (want <= kMaxLength) learnt->AddLength(static_cast<uint32_t>(want));
  }
  if (!row.in) return;
  // Where the letters go on all places look alike: the first stands for them.
  const uint32_t shown =
      std::min({operation.in, uint32_t{operation.data_size} + 1 + static_cast<uint32_t>(size),
                uint32_t{kMaxData}});
  for (uint32_t at = 0; at + size <= shown; ++at) {
    if (WindowOf(operation, at, size) == have) AddBytesAt(operation, at, size, want, learnt);
  }
  // Of a single byte too many look alike by chance.
  if (size > 1) LearnReckoned(operation, have, want, size, side, learnt);
}

}  // namespace

void LearnFromComparison(const DriverOperation& operation, const Comparison& comparison,
                         DriverLearnt* learnt) {
  const size_t size = comparison.size;
  const uint64_t a = Masked(comparison.a, size);
  const uint64_t b = Masked(comparison.b, size);
  if (a == b || size == 0 || size > 8) return;
  // What was seen lately: a direct-mapped table of hashes.
  static uint64_t seen[4096];
  uint64_t hash = Mixed(a ^ Mixed(b + comparison.site));
  hash = Mixed(hash ^ operation.code ^ uint64_t{operation.in} << 32);
  hash = Mixed(hash ^ operation.out ^ uint64_t{static_cast<uint8_t>(operation.op)} << 32);
  for (int i = 0; i < operation.data_size; ++i) hash = hash * 31 + operation.data[i];
  uint64_t& place = seen[hash % std::size(seen)];
  if (place == hash) return;
  place = hash;
  Learn(operation, a, b, size, comparison.site * 2, learnt);
  Learn(operation, b, a, size, comparison.site * 2 + 1, learnt);
}

}  // namespace cancelsafe::drivers
