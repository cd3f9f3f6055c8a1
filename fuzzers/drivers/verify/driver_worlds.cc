// See driver_worlds.h. A program is a word: a letter for each call, those of fiber 0 first.
#include "fuzzers/drivers/verify/driver_worlds.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "fuzzers/drivers/program/driver_text.h"

namespace cancelsafe::drivers {

DriverWorlds::DriverWorlds(const DriverScope& scope, std::vector<DriverVariant> variants)
    : scope_(scope), variants_(std::move(variants)), shapes_(ShapesOf(scope.fibers, scope.calls)) {}

bool DriverWorlds::Next() {
  if (index_ < 0) {
    program_ = DriverProgram();
    program_.operations.push_back({DriverOp::kOpen});
    index_ = 0;
    return true;
  }
  if (variants_.empty()) return false;
  do {
    while (!NextWord()) {
      if (++shape_ >= shapes_.size()) {
        shape_ = shapes_.size();
        return false;
      }
      words_begun_ = false;
    }
  } while (!Fits() ||
           !IsLeastOrder(shapes_[shape_], [this](const auto& fibers) { return WordOf(fibers); }));
  Spell();
  ++index_;
  return true;
}

bool DriverWorlds::NextWord() {
  if (shape_ >= shapes_.size()) return false;
  const Shape& shape = shapes_[shape_];
  int place = shape.calls - 1;
  if (!words_begun_) {
    words_begun_ = true;
    int next = 0;
    for (int f = 0; f < shape.fibers; ++f) {
      first_of_[f] = next;
      for (int i = 0; i < shape.of[f]; ++i) fiber_of_[next++] = f;
    }
    place = 0;
    letters_[0] = {0, 0, -1};
  }
  while (place >= 0) {
    if (!Advance(place)) {
      --place;
    } else if (FitsSoFar(place)) {
      if (++place == shape.calls) return true;
      letters_[place] = {0, 0, -1};
    }
  }
  return false;
}

bool DriverWorlds::Advance(int place) {
  Letter& letter = letters_[place];
  const auto has_target = [&] { return OpAt(place) == DriverOp::kCancel; };
  const auto has_file = [&] { return RowAt(place).file; };
  if (letter.target < 0) {  // a fresh place
    letter = {0, 0, 0};
    return true;
  }
  if (has_target() && letter.target + 1 < shapes_[shape_].calls) {
    ++letter.target;
    return true;
  }
  letter.target = 0;
  if (has_file() && letter.file + 1 < scope_.files) {
    ++letter.file;
    return true;
  }
  letter.file = 0;
  return ++letter.variant < static_cast<int>(variants_.size());
}

// What the letter at the place says of those before it.
bool DriverWorlds::FitsSoFar(int place) const {
  const Letter& letter = letters_[place];
  if (OpAt(place) == DriverOp::kCancel) {
    if (letter.target == place) return false;
    if (letter.target < place) return Sends(letter.target);
    // On the same fiber it would come too late.
    return fiber_of_[letter.target] != fiber_of_[place];
  }
  if (!RowAt(place).file) return true;
  int named = 0;
  for (int i = 0; i < place; ++i) {
    if (!RowAt(i).file) continue;
    named = std::max(named, letters_[i].file + 1);
    const bool same = letters_[i].file == letter.file && fiber_of_[i] == fiber_of_[place];
    const bool ends = OpAt(i) == DriverOp::kCleanup || OpAt(i) == DriverOp::kClose;
    if (same && ends && OpAt(place) != DriverOp::kClose) return false;
    if (same && OpAt(i) == DriverOp::kClose) return false;
  }
  return letter.file <= named;
}

bool DriverWorlds::Fits() const {
  const int calls = shapes_[shape_].calls;
  for (int place = 0; place < calls; ++place) {
    const Letter& letter = letters_[place];
    if (OpAt(place) == DriverOp::kCancel && !Sends(letter.target)) return false;
    if (OpAt(place) != DriverOp::kClose) continue;
    bool cleaned = false;
    for (int i = 0; i < calls; ++i) {
      cleaned |= OpAt(i) == DriverOp::kCleanup && letters_[i].file == letter.file &&
                 (fiber_of_[i] != fiber_of_[place] || i < place);
    }
    if (!cleaned) return false;
  }
  return true;
}

DriverWorlds::Word DriverWorlds::WordOf(const int (&fibers)[schedule::kMaxFibers]) const {
  const Shape& shape = shapes_[shape_];
  Word word = {};
  int place_in[kMaxDriverCalls];  // this order, of each place
  int next = 0;
  for (int f = 0; f < shape.fibers; ++f) {
    for (int i = 0; i < shape.of[fibers[f]]; ++i) place_in[first_of_[fibers[f]] + i] = next++;
  }
  int name[kMaxFiles];
  std::fill(std::begin(name), std::end(name), -1);
  int names = 0;
  int out = 0;
  for (int f = 0; f < shape.fibers; ++f) {
    for (int i = 0; i < shape.of[fibers[f]]; ++i) {
      const int place = first_of_[fibers[f]] + i;
      const Letter& letter = letters_[place];
      unsigned file = 0, target = 0;
      if (RowAt(place).file) {
        if (name[letter.file] < 0) name[letter.file] = names++;
        file = static_cast<unsigned>(name[letter.file]);
      }
      if (OpAt(place) == DriverOp::kCancel) {
        target = static_cast<unsigned>(place_in[letter.target]);
      }
      word[static_cast<size_t>(out++)] =
          static_cast<uint64_t>(letter.variant) << 16 | file << 8 | target;
    }
  }
  return word;
}

void DriverWorlds::Spell() {
  const Shape& shape = shapes_[shape_];
  program_.operations.clear();
  program_.fibers = shape.fibers;
  int files = 0;
  for (int place = 0; place < shape.calls; ++place) {
    if (RowAt(place).file) files = std::max(files, letters_[place].file + 1);
  }
  for (int file = 0; file < files; ++file) {
    DriverOperation open;
    open.file = static_cast<uint8_t>(file);
    program_.operations.push_back(open);
  }
  uint8_t number[kMaxDriverCalls] = {};
  uint8_t requests = 0;
  for (int place = 0; place < shape.calls; ++place) {
    if (Sends(place)) number[place] = requests++;
  }
  for (int place = 0; place < shape.calls; ++place) {
    const Letter& letter = letters_[place];
    const DriverVariant& variant = variants_[static_cast<size_t>(letter.variant)];
    DriverOperation operation;
    operation.op = variant.op;
    operation.fiber = static_cast<uint8_t>(fiber_of_[place]);
    if (RowAt(place).file) operation.file = static_cast<uint8_t>(letter.file);
    if (RowAt(place).request) {
      operation.request = number[variant.op == DriverOp::kCancel ? letter.target : place];
    }
    operation.code = variant.code;
    operation.in = variant.in;
    operation.out = variant.out;
    operation.number = variant.number;
    operation.unreadable = variant.unreadable;
    program_.operations.push_back(operation);
  }
}

uint64_t DriverWorlds::hash() const {
  DriverProgramFile file;
  file.program = program_;
  return HashText64(PrintDriverProgram(file));
}

int64_t CountDriverWorlds(const DriverScope& scope, const std::vector<DriverVariant>& variants) {
  DriverWorlds worlds(scope, variants);
  while (worlds.Next()) {
  }
  return worlds.index() + 1;
}

}  // namespace cancelsafe::drivers
