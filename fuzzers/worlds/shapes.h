// How many calls each fiber of a program has, and which order of the fibers stands for all: what
// the programs on queues and those for drivers have in common. Knows no operations.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SHAPES_H_
#define CANCELSAFE_FUZZERS_WORLDS_SHAPES_H_

#include <algorithm>
#include <vector>

#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

// How many calls each fiber has, in descending order.
struct Shape {
  int fibers;
  int calls;  // of all
  int of[schedule::kMaxFibers];
};

// Every shape with at most so many fibers, and calls of each, and at least one call: by calls, then
// by fibers.
inline std::vector<Shape> ShapesOf(int most_fibers, int most_calls) {
  std::vector<Shape> shapes;
  for (int calls = 1; calls <= most_fibers * most_calls; ++calls) {
    for (int fibers = 1; fibers <= std::min(most_fibers, calls); ++fibers) {
      // Every way to write `calls` as a descending sum.
      Shape shape = {fibers, calls, {}};
      const auto add = [&](const auto& self, int fiber, int left, int most) -> void {
        if (fiber == fibers) {
          if (left == 0) shapes.push_back(shape);
          return;
        }
        for (int of = std::min(left, most); of >= 1; --of) {
          shape.of[fiber] = of;
          self(self, fiber + 1, left - of, of);
        }
      };
      add(add, 0, calls, most_calls);
    }
  }
  return shapes;
}

// Whether the word of a program, word_of(fibers), which tells two of them apart, is not larger with
// its fibers in the order 0, 1, ... than in any other that has the same shape.
template <typename WordOf>
bool IsLeastOrder(const Shape& shape, const WordOf& word_of) {
  int fibers[schedule::kMaxFibers];
  for (int f = 0; f < schedule::kMaxFibers; ++f) fibers[f] = f;
  const auto own = word_of(fibers);
  while (std::next_permutation(fibers, fibers + shape.fibers)) {
    bool fits = true;
    for (int f = 0; f < shape.fibers; ++f) fits &= shape.of[fibers[f]] == shape.of[f];
    if (fits && word_of(fibers) < own) return false;
  }
  return true;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SHAPES_H_
