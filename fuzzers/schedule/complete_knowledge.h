// What a complete exploration has learned of its program, beside which schedules are done: the
// objects that it met, which of them order the fibers, and where nothing shared is touched. Grows
// from run to run; processes that explore parts of one program hand it to each other.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_KNOWLEDGE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_KNOWLEDGE_H_

#include <cstdint>
#include <type_traits>
#include <unordered_set>

#include "fuzzers/schedule/object_table.h"
#include "fuzzers/schedule/ordering.h"

namespace cancelsafe::schedule {

struct CompleteKnowledge {
  // Plain, for memory that processes share.
  struct Flat {
    static constexpr int kPaths = 4096;
    uint16_t objects;
    uintptr_t address[ObjectTable::kMany];  // of each object, by its number
    OrderingObjects::Flat ordering;
    int quiet_paths;  // too many are left out: they save time alone
    int loud_paths;
    uint64_t quiet[kPaths];
    uint64_t loud[kPaths];
  };
  static_assert(std::is_trivially_copyable_v<Flat>, "it is shared by its bytes");

  CompleteKnowledge();

  // A path is a hash of the points that a fiber has passed since its call began.
  bool IsLoud(uint64_t path) const { return loud.count(path) != 0; }
  void NoteQuiet(uint64_t path) {
    if (!IsLoud(path)) quiet.insert(path);
  }
  void NoteLoud(uint64_t path) {
    loud.insert(path);
    quiet.erase(path);
  }

  void Write(Flat* flat) const;
  // Takes in what a copy of this one has learned since. numbers[n] becomes the number here of its
  // object n, for all up to ObjectTable::kMany. Whether it showed more objects to order fibers
  // than were known: what was explored without knowing that has to be explored again.
  bool Learn(const Flat& flat, uint16_t* numbers);

  // Numbered over all runs: in each of them an address is the same object, though it may be used
  // for the first time somewhere else.
  ObjectTable objects;
  OrderingObjects ordering;
  std::unordered_set<uint64_t> quiet;  // paths: from their last point to the next nothing shared
  std::unordered_set<uint64_t> loud;   // was touched and no call begun; or not always
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_KNOWLEDGE_H_
