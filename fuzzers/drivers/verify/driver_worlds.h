// Goes through every program of a scope for a driver, each once up to renaming, smallest first:
// by number of calls, then of fibers. Two programs are the same if they differ in the order of
// the fibers, or in the numbers of requests and files. Files that a program uses are opened before
// its fibers begin; the first program of every scope only opens one.
//
// Left out is what is never carried out, whatever the schedule: to cancel a request that the same
// fiber sends later, to clean a file up twice on one fiber or to use it there afterwards, to
// close one that nothing cleans up.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_WORLDS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_WORLDS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "fuzzers/drivers/verify/driver_scope.h"
#include "fuzzers/worlds/shapes.h"

namespace cancelsafe::drivers {

// Use: DriverWorlds worlds(...); while (worlds.Next()) worlds.program(). The memory does not
// depend on how many there are.
class DriverWorlds {
 public:
  DriverWorlds(const DriverScope& scope, std::vector<DriverVariant> variants);

  // Goes to the next program, the first time to the first; false if there is none.
  bool Next();
  // Without a schedule, and without fibers for what the driver starts.
  const DriverProgram& program() const { return program_; }
  // Its number in the order above, from 0.
  int64_t index() const { return index_; }
  // A number for all of it; the same on every machine.
  uint64_t hash() const;

 private:
  // One call. Files are numbered by first use.
  struct Letter {
    int variant;
    int file;
    int target;  // of a cancel: the place of the request in the word
  };
  using Word = std::array<uint64_t, kMaxDriverCalls>;

  const DriverOpRow& RowAt(int place) const {
    return InfoOf(variants_[static_cast<size_t>(letters_[place].variant)].op);
  }
  DriverOp OpAt(int place) const {
    return variants_[static_cast<size_t>(letters_[place].variant)].op;
  }
  bool Sends(int place) const { return RowAt(place).request && OpAt(place) != DriverOp::kCancel; }
  bool NextWord();
  // The next letter at this place, as an odometer does. False: there is none.
  bool Advance(int place);
  bool FitsSoFar(int place) const;
  bool Fits() const;
  void Spell();
  Word WordOf(const int (&fibers)[schedule::kMaxFibers]) const;

  const DriverScope scope_;
  const std::vector<DriverVariant> variants_;
  const std::vector<Shape> shapes_;
  size_t shape_ = 0;
  bool words_begun_ = false;
  Letter letters_[kMaxDriverCalls] = {};
  int fiber_of_[kMaxDriverCalls] = {};
  int first_of_[schedule::kMaxFibers] = {};  // of each fiber, the place of its first call
  DriverProgram program_;
  int64_t index_ = -1;
};

// The number of programs.
int64_t CountDriverWorlds(const DriverScope& scope, const std::vector<DriverVariant>& variants);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_VERIFY_DRIVER_WORLDS_H_
