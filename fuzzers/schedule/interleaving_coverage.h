// Feedback for a fuzz engine: which code was left and which went on at a switch.
// Coverage only: code addresses decide nothing about a run.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_INTERLEAVING_COVERAGE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_INTERLEAVING_COVERAGE_H_

#include <cstdint>

namespace cancelsafe::schedule {

class InterleavingCoverage {
 public:
  // `size` is a power of two; null turns the counting off. To be set anew when a
  // module was unloaded.
  void Set(uint8_t* counters, uint32_t size) {
    counters_ = counters;
    mask_ = size - 1;
    module_count_ = 0;
  }
  bool on() const { return counters_ != nullptr; }

  // A code address in a form that is the same in every process; 0 for none.
  uint64_t Place(uintptr_t site) {
    for (int i = 0; i < module_count_; ++i) {
      if (site - modules_[i].begin < modules_[i].end - modules_[i].begin) {
        return (site - modules_[i].begin) + static_cast<uint64_t>(i);
      }
    }
    return FindModule(site);
  }

  void Count(uint64_t left, uint64_t next, uint16_t object) {
    uint64_t hash = left * 0x9E3779B97F4A7C15u;
    hash = (hash ^ next) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ object) * 0x94D049BB133111EBu;
    // Met or not: how often would multiply an engine's features by eight.
    counters_[hash >> 32 & mask_] = 1;
  }

 private:
  // A loaded module: the program itself, or an implementation under test.
  struct Module {
    uintptr_t begin;
    uintptr_t end;
  };

  uint64_t FindModule(uintptr_t site);

  static constexpr int kMaxModules = 4;
  Module modules_[kMaxModules];
  int module_count_ = 0;
  uint8_t* counters_ = nullptr;
  uint32_t mask_ = 0;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_INTERLEAVING_COVERAGE_H_
