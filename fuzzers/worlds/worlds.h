// Goes through every world of a scope, each once up to renaming, smallest first: by number
// of calls, then of fibers, then of settings that differ from the plain queue.
//
// Two worlds are the same up to renaming if they differ in the order of the fibers, in the
// numbers of items, files and queues, and in keys that compare alike. The one that is
// visited names items, files and queues by their first use, has the fibers with more calls
// first, and of all such orders of the fibers the least (worlds.cc).
#ifndef CANCELSAFE_FUZZERS_WORLDS_WORLDS_H_
#define CANCELSAFE_FUZZERS_WORLDS_WORLDS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fuzzers/worlds/setups.h"
#include "fuzzers/worlds/shapes.h"
#include "fuzzers/worlds/world.h"

namespace cancelsafe {

// Use: Worlds worlds(scope); while (worlds.Next()) worlds.world(). The memory does not
// depend on how many worlds there are. About a microsecond for each.
class Worlds {
 public:
  explicit Worlds(const Scope& scope);

  // Goes to the next world, the first time to the first; false if there is none.
  bool Next();
  const World& world() const { return world_; }
  // Its number in the order above, from 0.
  int64_t index() const { return index_; }

 private:
  // What an operation can be but for its names: one with its flags.
  struct Variant {
    Op op;
    uint8_t flags;
    bool names_item;
    bool names_queue;
    bool names_file;
    bool has_key;
  };
  // One call, with names by first use.
  struct Letter {
    int variant;
    int item;
    int kind;      // of the item: its file, or whether its number is odd
    int selector;  // 0, or 1 + file
    int key;       // where it is placed among the keys so far (KeyPlaces)
  };
  // What the letters before a position have named.
  struct Named {
    int items;
    int files;
    int kinds[kMaxWorldItems];  // of the items
    int keys;                   // different ones
    bool queue;
  };
  // A letter with everything that tells two worlds apart, in one number each.
  struct Word {
    uint64_t letters[kMaxWorldCalls];  // behind the last one 0
    bool operator<(const Word& other) const {
      return std::lexicographical_compare(letters, letters + kMaxWorldCalls, other.letters,
                                          other.letters + kMaxWorldCalls);
    }
  };

  static uint32_t KeyOf(int rank, int ranks, int start_rank);

  bool NextSetup();
  void BeginSetup();
  bool NextWord();
  bool First(int position);
  bool Advance(int position);
  int ItemChoices(int position, const Variant& variant) const;
  int KindChoices(int position, const Letter& letter) const;
  bool Admits(int position, const Variant& variant) const;
  void Enter(int position);
  void RankKeys();
  bool HasZeroKey() const;
  void Spell();
  Word WordOf(const int (&fibers)[kMaxFibers]) const;
  bool IsLeast() const;

  const Scope scope_;
  const std::vector<Shape> shapes_;
  const std::vector<WorldSetup> setups_;
  size_t shape_ = 0;
  size_t setup_ = 0;
  bool started_ = false;

  // ---- of the present shape and setup ----
  std::vector<Variant> variants_;
  bool files_count_ = false;    // items differ by their files
  bool parity_counts_ = false;  // items differ by odd and even numbers
  bool item_pinned_ = false;    // the driver names item 0 on its own
  bool queue_pinned_ = false;   // and queue 0
  bool start_key_ = false;
  int start_place_ = 0;  // KeyPlaces of the setup's own key
  int last_start_place_ = 0;
  bool words_begun_ = false;
  Letter letters_[kMaxWorldCalls];
  Named named_[kMaxWorldCalls + 1];
  int rank_[kMaxWorldCalls] = {};
  int start_rank_ = 0;
  int ranks_ = 0;

  World world_;
  int64_t index_ = -1;
};

// The number of worlds in a scope.
int64_t CountWorlds(const Scope& scope);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_WORLDS_H_
