// See worlds.h. A world is a word: a letter for each call. Letters name things by their
// first use, so that of all words that differ in names alone one is made. That of all
// orders of the fibers one is made is seen at the end, by comparing the word with the
// others.
#include "fuzzers/worlds/worlds.h"

#include <algorithm>
#include <utility>

#include "fuzzers/worlds/worth.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// Items of a file have the numbers file, file + 3, ...; odd ones 1, 3, ...
constexpr int kParities = 2;

// ---- keys ----
// Keys matter by how they compare. A letter says where its key is placed among the d
// different ones so far: 2r + 1 is equal to the r-th, 2r lies before it, 2d after all.
// 0, the key of what is inserted without one, is always there and the least.
constexpr int kFirstKeyPlace = 1;
int LastKeyPlace(int different) { return 2 * different; }
bool IsNewKey(int place) { return place % 2 == 0; }

}  // namespace

Worlds::Worlds(const Scope& scope)
    : scope_(scope),
      shapes_(ShapesOf(scope.fibers, scope.calls)),
      setups_(SetupsWithin(scope, std::min(scope.fibers * scope.calls, kMaxWorldCalls))) {}

bool Worlds::Next() {
  do {
    if (!started_) {
      started_ = true;
      if (setups_.empty() || shapes_.empty()) return false;
      BeginSetup();
    }
    while (!NextWord()) {
      if (!NextSetup()) return false;
    }
    Spell();
  } while (!IsLeast() || IsLeftOut(world_));
  ++index_;
  return true;
}

bool Worlds::NextSetup() {
  if (start_place_ < last_start_place_) {
    ++start_place_;
    words_begun_ = false;
    return true;
  }
  // No ordinal of a callback is larger than the number of calls.
  do {
    if (++setup_ == setups_.size()) {
      setup_ = 0;
      if (++shape_ == shapes_.size()) return false;
    }
  } while (std::max(setups_[setup_].setup.failing_insert, setups_[setup_].setup.cancelling_insert) >
           shapes_[shape_].calls);
  BeginSetup();
  return true;
}

void Worlds::BeginSetup() {
  const Setup& setup = setups_[setup_].setup;
  files_count_ = setup.peek == PeekPolicy::kByFile;
  parity_counts_ = ParityCounts(setup);
  item_pinned_ = setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kCancel;
  queue_pinned_ = setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kRemoveNext;
  start_key_ = setup.start_by_key;
  // Equal to 0 or above it.
  start_place_ = start_key_ ? kFirstKeyPlace : 0;
  last_start_place_ = start_key_ ? LastKeyPlace(1) : 0;
  words_begun_ = false;
  variants_.clear();
  const OperationList& list = OperationsOf(setup.family);
  for (int i = 0; i < list.count; ++i) {
    const Op op = list.ops[i];
    if (!scope_.Allows(op)) continue;
    const FieldMasks fields = FieldsOf(setup, op);
    for (int flags = 0; flags <= fields.flags; ++flags) {
      if ((flags & ~fields.flags) != 0) continue;
      variants_.push_back(
          {op, static_cast<uint8_t>(flags), InfoOf(op).fields.item != 0,
           (fields.flags & kOtherQueue) != 0,
           InfoOf(op).selector_use == FieldUse::kIfPeekByFile && fields.selector != 0,
           fields.key != 0});
    }
  }
}

// ---- words ----

bool Worlds::NextWord() {
  const int calls = shapes_[shape_].calls;
  int position = calls - 1;
  if (!words_begun_) {
    words_begun_ = true;
    Named& named = named_[0];
    named = Named();
    named.items = item_pinned_ ? 1 : 0;
    named.files = item_pinned_ && files_count_ ? 1 : 0;
    named.queue = queue_pinned_;
    named.keys = 1 + (start_key_ && IsNewKey(start_place_) ? 1 : 0);
    position = 0;
    if (!First(0)) return false;
    Enter(0);
  } else {
    while (position >= 0 && !Advance(position)) --position;
    if (position < 0) return false;
    Enter(position);
  }
  // The first letters of all positions after it. There always is one: an operation that
  // names no new thing.
  while (++position < calls) {
    if (!First(position)) return false;
    Enter(position);
  }
  return true;
}

bool Worlds::Admits(int position, const Variant& variant) const {
  if ((variant.flags & kOtherQueue) != 0 && !named_[position].queue) return false;
  return ItemChoices(position, variant) > 0;
}

int Worlds::ItemChoices(int position, const Variant& variant) const {
  if (!variant.names_item) return 1;
  return std::min(named_[position].items + 1, scope_.items);
}

int Worlds::KindChoices(int position, const Letter& letter) const {
  const Variant& variant = variants_[letter.variant];
  // Known already, or without meaning.
  if (!variant.names_item || letter.item < named_[position].items) return 1;
  if (parity_counts_) return kParities;
  return files_count_ ? std::min(named_[position].files + 1, kFileCount) : 1;
}

bool Worlds::First(int position) {
  Letter& letter = letters_[position];
  letter = Letter{0, 0, 0, 0, kFirstKeyPlace};
  while (letter.variant < static_cast<int>(variants_.size()) &&
         !Admits(position, variants_[letter.variant])) {
    ++letter.variant;
  }
  return letter.variant < static_cast<int>(variants_.size());
}

// Goes to the next letter at this position, as an odometer does.
bool Worlds::Advance(int position) {
  Letter& letter = letters_[position];
  const Named& named = named_[position];
  const Variant& variant = variants_[letter.variant];
  if (variant.has_key && letter.key < LastKeyPlace(named.keys)) {
    ++letter.key;
    return true;
  }
  letter.key = kFirstKeyPlace;
  if (variant.names_file && letter.selector < std::min(named.files + 1, kFileCount)) {
    ++letter.selector;
    return true;
  }
  letter.selector = 0;
  if (letter.kind + 1 < KindChoices(position, letter)) {
    ++letter.kind;
    return true;
  }
  letter.kind = 0;
  if (letter.item + 1 < ItemChoices(position, variant)) {
    ++letter.item;
    return true;
  }
  letter.item = 0;
  while (++letter.variant < static_cast<int>(variants_.size())) {
    if (Admits(position, variants_[letter.variant])) return true;
  }
  return false;
}

// What is named after this position.
void Worlds::Enter(int position) {
  const Letter& letter = letters_[position];
  const Variant& variant = variants_[letter.variant];
  Named named = named_[position];
  if (variant.names_item && letter.item == named.items) {
    named.kinds[named.items++] = letter.kind;
    if (files_count_) named.files = std::max(named.files, letter.kind + 1);
  }
  if (variant.names_file) named.files = std::max(named.files, letter.selector);
  if (variant.names_queue) named.queue = true;
  if (variant.has_key && IsNewKey(letter.key)) ++named.keys;
  named_[position + 1] = named;
}

// ---- from names by first use to a world ----

void Worlds::RankKeys() {
  constexpr int kZero = 0;
  constexpr int kMaxKeys = kMaxWorldCalls + 2;
  int order[kMaxKeys] = {kZero};  // the different keys by size
  int count = 1;
  const auto place = [&](int where) {
    if (!IsNewKey(where)) return order[(where - 1) / 2];
    std::copy_backward(order + where / 2, order + count, order + count + 1);
    order[where / 2] = count;
    return count++;
  };
  const int start = start_key_ ? place(start_place_) : kZero;
  int key[kMaxWorldCalls] = {};
  const int calls = shapes_[shape_].calls;
  for (int i = 0; i < calls; ++i) {
    if (variants_[letters_[i].variant].has_key) key[i] = place(letters_[i].key);
  }
  int rank[kMaxKeys] = {};
  for (int i = 0; i < count; ++i) rank[order[i]] = i;
  for (int i = 0; i < calls; ++i) rank_[i] = rank[key[i]];
  start_rank_ = rank[start];
  ranks_ = count;
}

// Small ones and large ones, so that a comparison as signed numbers or a subtraction gives
// another order.
uint32_t Worlds::KeyOf(int rank, int ranks, int start_rank) {
  const int small = std::max((ranks + 1) / 2, start_rank + 1);
  return static_cast<uint32_t>(rank < small ? rank : rank - ranks);
}

void Worlds::Spell() {
  const Shape& shape = shapes_[shape_];
  RankKeys();
  world_.setup = setups_[setup_].setup;
  world_.irql = setups_[setup_].irql;
  world_.fibers = shape.fibers;
  world_.calls = shape.calls;
  if (start_key_) world_.setup.start_key = static_cast<uint8_t>(start_rank_);
  const Named& named = named_[shape.calls];
  // Of the few items, the last file has one less than the others.
  int file_of[kFileCount] = {0, 1, 2};
  if (files_count_ &&
      std::count(named.kinds, named.kinds + named.items, kFileCount - 1) > kFewItems / kFileCount) {
    std::swap(file_of[0], file_of[kFileCount - 1]);
  }
  const int step = files_count_ ? kFileCount : parity_counts_ ? kParities : 1;
  int number[kMaxWorldItems] = {};
  for (int item = 0; item < named.items; ++item) {
    const int kind = named.kinds[item];
    const auto before =
        files_count_ || parity_counts_ ? std::count(named.kinds, named.kinds + item, kind) : item;
    number[item] = (files_count_ ? file_of[kind] : kind) + step * static_cast<int>(before);
  }
  world_.setup.many_items =
      named.items > 0 && *std::max_element(number, number + named.items) >= kFewItems;
  if (item_pinned_) world_.setup.reentry_item = static_cast<uint8_t>(number[0]);
  int inserts = 0;
  int position = 0;
  for (int fiber = 0; fiber < shape.fibers; ++fiber) {
    for (int i = 0; i < shape.of[fiber]; ++i, ++position) {
      const Letter& letter = letters_[position];
      const Variant& variant = variants_[letter.variant];
      Operation operation;
      operation.op = variant.op;
      operation.flags = variant.flags;
      if (variant.names_item) operation.item = static_cast<uint8_t>(number[letter.item]);
      if (variant.names_file && letter.selector != 0) {
        operation.selector = static_cast<uint8_t>(1 + file_of[letter.selector - 1]);
      }
      // Every insert has a context of its own: more can be noticed than if two had the
      // same. The driver's own inserts have number 0.
      if (variant.op == Op::kInsertEx) {
        operation.selector = static_cast<uint8_t>(1 + inserts++ % 3);
      }
      if (variant.has_key) {
        operation.key = KeyOf(rank_[position], ranks_, start_key_ ? start_rank_ : 0);
      }
      world_.operations[position] = operation;
      world_.fiber_of[position] = static_cast<uint8_t>(fiber);
    }
  }
}

// ---- which of the worlds that are the same ----

// Whether something without a key of its own has key 0.
bool Worlds::HasZeroKey() const {
  const Setup& setup = world_.setup;
  if (setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kRemoveNext) return true;
  for (int i = 0; i < world_.calls; ++i) {
    const Op op = world_.operations[i].op;
    if (op == Op::kQueueInsert || op == Op::kStartPacket) return true;
  }
  return false;
}

// The word of the same world with its fibers in another order, names given anew.
Worlds::Word Worlds::WordOf(const int (&fibers)[kMaxFibers]) const {
  const Shape& shape = shapes_[shape_];
  Word word = {};
  int item_name[kMaxWorldItems];
  int file_name[kFileCount];
  std::fill(std::begin(item_name), std::end(item_name), -1);
  std::fill(std::begin(file_name), std::end(file_name), -1);
  int items = 0, files = 0;
  const auto name_file = [&](int file) {
    if (file_name[file] < 0) file_name[file] = files++;
    return file_name[file];
  };
  if (item_pinned_) {
    item_name[0] = items++;
    if (files_count_) name_file(named_[1].kinds[0]);
  }
  uint8_t flip = 0;
  bool queue_named = queue_pinned_;
  int out = 0;
  for (int f = 0; f < shape.fibers; ++f) {
    const int first =
        static_cast<int>(std::lower_bound(world_.fiber_of, world_.fiber_of + world_.calls,
                                          static_cast<uint8_t>(fibers[f])) -
                         world_.fiber_of);
    for (int i = first; i < first + shape.of[fibers[f]]; ++i) {
      const Letter& letter = letters_[i];
      const Variant& variant = variants_[letter.variant];
      unsigned flags = variant.flags;
      if (variant.names_queue && !queue_named) {
        flip = variant.flags & kOtherQueue;
        queue_named = true;
      }
      if (variant.names_queue) flags ^= flip;
      unsigned item = 0, kind = 0, selector = 0;
      if (variant.names_item) {
        if (item_name[letter.item] < 0) item_name[letter.item] = items++;
        item = static_cast<unsigned>(item_name[letter.item]);
        const int own_kind = named_[shape.calls].kinds[letter.item];
        kind = static_cast<unsigned>(files_count_ ? name_file(own_kind) : own_kind);
      }
      if (variant.names_file && letter.selector != 0) {
        selector = static_cast<unsigned>(1 + name_file(letter.selector - 1));
      }
      word.letters[out++] = static_cast<uint64_t>(variant.op) << 40 | uint64_t{flags} << 32 |
                            item << 24 | kind << 16 | selector << 8 |
                            static_cast<unsigned>(rank_[i]);
    }
  }
  return word;
}

bool Worlds::IsLeast() const {
  // A key that nothing has may not be the least: the others would compare alike without.
  if (!HasZeroKey()) {
    bool any = start_key_, zero = start_key_ && start_rank_ == 0;
    for (int i = 0; i < world_.calls; ++i) {
      if (!variants_[letters_[i].variant].has_key) continue;
      any = true;
      zero |= rank_[i] == 0;
    }
    if (any && !zero) return false;
  }
  return IsLeastOrder(shapes_[shape_],
                      [this](const int(&fibers)[kMaxFibers]) { return WordOf(fibers); });
}

int64_t CountWorlds(const Scope& scope) {
  Worlds worlds(scope);
  while (worlds.Next()) {
  }
  return worlds.index() + 1;
}

}  // namespace cancelsafe
