// See shadow.h.
#include "fuzzers/memory/shadow.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace cancelsafe::memory {
namespace {

// Words that there may be in all ranges together: 256 MiB of memory. Only what is
// touched costs anything.
constexpr size_t kMaxWords = size_t{1} << 25;

[[noreturn]] void Fail(const char* what) {
  fprintf(stderr, "cancelsafe: memory engine: %s\n", what);
  abort();
}

// Zeroes.
template <typename T>
T* Map(size_t count) {
  void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) Fail("no address space for the shadow");
  return static_cast<T*>(memory);
}

}  // namespace

Shadow::~Shadow() {
  if (cells_ == nullptr) return;
  munmap(cells_, kMaxWords * sizeof(Cell));
  munmap(words_, kMaxWords * sizeof(Word));
  munmap(spare_, kSpareCells * sizeof(Cell));
}

void Shadow::AddRange(void* begin, size_t bytes) {
  if (cells_ == nullptr) {
    cells_ = Map<Cell>(kMaxWords);
    words_ = Map<Word>(kMaxWords);
    spare_ = Map<Cell>(kSpareCells);
    generation_ = 1;
  }
  if (range_count_ == kMaxRanges) Fail("too many ranges of memory to watch");
  const uintptr_t a = reinterpret_cast<uintptr_t>(begin);
  const uintptr_t first = a & ~uintptr_t{7};
  const uintptr_t end = (a + bytes + 7) & ~uintptr_t{7};
  const ptrdiff_t words = static_cast<ptrdiff_t>((end - first) / 8);
  if (word_count_ + words > static_cast<ptrdiff_t>(kMaxWords)) Fail("too much memory to watch");
  ranges_[range_count_++] = {first, end - first, word_count_, 0};
  word_count_ += words;
}

void Shadow::RemoveRange(void* begin) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(begin) & ~uintptr_t{7};
  for (int i = 0; i < range_count_; ++i) {
    if (ranges_[i].begin != first) continue;
    // Its words are not used again: ranges come and go with shared objects, a few
    // times in the life of a process.
    ranges_[i] = ranges_[--range_count_];
    ranges_[range_count_] = {};
    return;
  }
}

ptrdiff_t Shadow::FindInOthers(const volatile void* address) {
  // Often enough for the order to follow what is accessed, and rarely enough to cost nothing.
  constexpr uint32_t kFoundToMove = 64;
  const uintptr_t a = reinterpret_cast<uintptr_t>(address);
  for (int i = 1; i < range_count_; ++i) {
    const uintptr_t offset = a - ranges_[i].begin;
    if (offset >= ranges_[i].bytes) continue;
    const ptrdiff_t word = ranges_[i].first_word + static_cast<ptrdiff_t>(offset / 8);
    if (++ranges_[i].found == kFoundToMove) {
      ranges_[i].found = 0;
      std::swap(ranges_[i], ranges_[i - 1]);
    }
    return word;
  }
  return -1;
}

void Shadow::NewRun() {
  spare_used_ = 0;
  if (++generation_ != 0) return;
  generation_ = 1;
  for (ptrdiff_t i = 0; i < word_count_; ++i) {
    if ((words_[i] & kGenerationBits) != 0) words_[i] &= ~kGenerationBits;
  }
}

void Shadow::SetState(ptrdiff_t first, size_t count, State state) {
  const Word bits = static_cast<Word>(state) << kStateShift;
  for (size_t i = 0; i < count; ++i) {
    Word& word = words_[first + static_cast<ptrdiff_t>(i)];
    word = (word & kGenerationBits) | bits;
  }
}

void Shadow::Forget(ptrdiff_t first, size_t count) {
  for (size_t i = 0; i < count; ++i) words_[first + static_cast<ptrdiff_t>(i)] &= ~kGenerationBits;
}

Cell* Shadow::Add(Cell* last) {
  if (spare_used_ == kSpareCells) return nullptr;
  Cell* cell = &spare_[spare_used_++];
  last->next = static_cast<uint16_t>(spare_used_);
  return cell;
}

bool Shadow::Split(ptrdiff_t word, uint8_t mask) {
  if (!IsOfThisRun(word)) {
    Begin(word, mask);
    return true;
  }
  uint8_t missing = mask;
  for (Cell* cell = &cells_[word];; cell = Next(*cell)) {
    const uint8_t common = cell->bytes & mask;
    missing &= static_cast<uint8_t>(~common);
    if (common != 0 && common != cell->bytes) {
      const uint16_t next = cell->next;
      Cell* rest = Add(cell);
      if (rest == nullptr) return false;
      const uint16_t number = cell->next;
      *rest = *cell;
      rest->bytes = cell->bytes & static_cast<uint8_t>(~mask);
      rest->next = next;
      cell->bytes = common;
      cell->next = number;
      cell = rest;
    }
    if (cell->next == 0) {
      if (missing == 0) return true;
      Cell* added = Add(cell);
      if (added == nullptr) return false;
      Clear(added, missing);
      return true;
    }
  }
}

}  // namespace cancelsafe::memory
