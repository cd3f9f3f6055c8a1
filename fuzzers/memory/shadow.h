// What is remembered about each byte of the memory that fibers share: its last plain
// accesses, the history it belongs to if it is atomic, and whether it may be touched at
// all. Finds and splits; judges nothing (races.h) and orders nothing (machine.h).
//
// Memory is divided into aligned words of 8 bytes. A word has one cell as long as it is
// accessed as one piece, and one for each piece once it is not, so that neighbours of a
// byte are never taken for the byte.
#ifndef CANCELSAFE_FUZZERS_MEMORY_SHADOW_H_
#define CANCELSAFE_FUZZERS_MEMORY_SHADOW_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/memory/clocks.h"

namespace cancelsafe::memory {

enum class State : uint8_t {
  kLive,
  kUnallocated,
  kFreed,
  kCompleted,  // an IRP that was handed back
  kCanary,     // lies between objects
};

struct Cell {
  Lanes reads;                     // each fiber's last plain read
  uint32_t read_site[kMaxFibers];  // of it
  uint32_t write_site;
  Lane write_lane;  // of the last plain write; 0: none
  uint8_t write_fiber;
  uint8_t bytes;      // bit i: byte i of the word belongs to this cell
  uint16_t location;  // number of the history, 0: never accessed atomically
  uint16_t next;      // number of the word's next cell, 0: none
};

class Shadow {
 public:
  Shadow() = default;
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  static constexpr int kMaxRanges = 16;
  static constexpr int kSpareCells = 8192;  // of words in several pieces, in one run

  // Memory to watch, all live. Ranges must not overlap. Aborts if there are too many,
  // or no memory: a set-up without shadow would judge nothing.
  void AddRange(void* begin, size_t bytes);
  void RemoveRange(void* begin);

  // A new run: all accesses are forgotten, states are kept. O(1), but for one run in
  // 65,535.
  void NewRun();

  // The word's number, or -1 for memory that is not watched.
  ptrdiff_t Find(const volatile void* address) {
    const ptrdiff_t word = FindInFirst(address);
    return word >= 0 ? word : FindInOthers(address);
  }
  // The same for memory of the first range, which most accesses of late were to; else -1.
  ptrdiff_t FindInFirst(const volatile void* address) const {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - ranges_[0].begin;
    return offset < ranges_[0].bytes ? ranges_[0].first_word + static_cast<ptrdiff_t>(offset / 8)
                                     : -1;
  }

  State state(ptrdiff_t word) const { return static_cast<State>(words_[word] >> kStateShift); }
  // For words [first, first + count).
  void SetState(ptrdiff_t first, size_t count, State state);
  // Forgets the accesses to these words: new objects lie there.
  void Forget(ptrdiff_t first, size_t count);

  // Calls visit(Cell*) for the cells of the bytes in `mask`, which then cover these
  // bytes and no others. False if there were no cells left.
  template <typename Visitor>
  bool Visit(ptrdiff_t word, uint8_t mask, Visitor&& visit) {
    Cell* first = &cells_[word];
    if (IsOfThisRun(word) && first->bytes == mask) {
      visit(first);
      return true;
    }
    if (!Split(word, mask)) return false;
    for (Cell* cell = first; cell != nullptr; cell = Next(*cell)) {
      if ((cell->bytes & mask) != 0) visit(cell);
    }
    return true;
  }

  // The first cell of a live word that this run has accessed, if it is exactly of these bytes;
  // else null.
  Cell* QuickCell(ptrdiff_t word, uint8_t mask) {
    Cell* cell = &cells_[word];
    static_assert(static_cast<int>(State::kLive) == 0);
    return words_[word] == generation_ && cell->bytes == mask ? cell : nullptr;
  }

  // The word's only cell, if it is exactly of these bytes; else null.
  Cell* Only(ptrdiff_t word, uint8_t mask) {
    Cell* cell = &cells_[word];
    return IsOfThisRun(word) && cell->bytes == mask ? cell : nullptr;
  }

  // The cell of exactly these bytes, or null if there is none. A word that this run has
  // not accessed becomes one of these bytes.
  Cell* Exactly(ptrdiff_t word, uint8_t mask) {
    Cell* cell = &cells_[word];
    if (!IsOfThisRun(word)) {
      Begin(word, mask);
      return cell;
    }
    if (cell->bytes == mask) return cell;
    for (cell = Next(*cell); cell != nullptr; cell = Next(*cell)) {
      if (cell->bytes == mask) return cell;
    }
    return nullptr;
  }

  // Calls visit(const Cell&) for the cells that the word has in this run.
  template <typename Visitor>
  void ForEach(ptrdiff_t word, Visitor&& visit) {
    if (!IsOfThisRun(word)) return;
    Cell* cell = &cells_[word];
    for (; cell != nullptr; cell = Next(*cell)) visit(*cell);
  }

  // The word's first cell, or null if nothing has accessed it in this run.
  const Cell* First(ptrdiff_t word) const { return IsOfThisRun(word) ? &cells_[word] : nullptr; }

 private:
  struct Range {
    uintptr_t begin;
    size_t bytes;
    ptrdiff_t first_word;
    uint32_t found;  // since it moved forward, other than as the first
  };
  // The generation of the run that a word's cells are about, and its state. Apart from the
  // cells: what asks for many words mostly finds that nothing accessed them.
  using Word = uint32_t;
  static constexpr int kStateShift = 16;
  static constexpr Word kGenerationBits = (Word{1} << kStateShift) - 1;

  ptrdiff_t FindInOthers(const volatile void* address);
  bool IsOfThisRun(ptrdiff_t word) const { return (words_[word] & kGenerationBits) == generation_; }
  // A word that this run has not accessed becomes one of these bytes.
  void Begin(ptrdiff_t word, uint8_t bytes) {
    words_[word] = (words_[word] & ~kGenerationBits) | generation_;
    Clear(&cells_[word], bytes);
  }
  Cell* Next(const Cell& cell) { return cell.next == 0 ? nullptr : &spare_[cell.next - 1]; }
  // Makes the cells of a word such that some cover exactly the bytes of `mask`.
  bool Split(ptrdiff_t word, uint8_t mask);
  Cell* Add(Cell* last);
  static void Clear(Cell* cell, uint8_t bytes) {
    cell->reads = Lanes{};
    cell->write_lane = 0;
    cell->bytes = bytes;
    cell->location = 0;
    cell->next = 0;
  }

  Range ranges_[kMaxRanges] = {};
  int range_count_ = 0;
  ptrdiff_t word_count_ = 0;
  Word* words_ = nullptr;
  Cell* cells_ = nullptr;
  Cell* spare_ = nullptr;
  int spare_used_ = 0;
  uint16_t generation_ = 0;
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_SHADOW_H_
