// The vocabulary of the memory engine: how many fibers there are, how an access is
// ordered, which model answers it. No state and no rules.
#ifndef CANCELSAFE_FUZZERS_MEMORY_ORDER_H_
#define CANCELSAFE_FUZZERS_MEMORY_ORDER_H_

#include <cstdint>

namespace cancelsafe::memory {

inline constexpr int kMaxFibers = 8;

// The numbers are those that the compiler passes; consume (1) never arrives.
enum class Order : int8_t {
  kPlain = -1,  // not atomic
  kRelaxed = 0,
  kAcquire = 2,
  kRelease = 3,
  kAcqRel = 4,
  kSeqCst = 5,
};

inline constexpr bool Acquires(Order order) {
  return order == Order::kAcquire || order == Order::kAcqRel || order == Order::kSeqCst;
}
inline constexpr bool Releases(Order order) {
  return order == Order::kRelease || order == Order::kAcqRel || order == Order::kSeqCst;
}

enum class Model : uint8_t {
  kSc,    // every read returns the newest value
  kTso,   // x86: a store buffer for each fiber
  kRc11,  // C++20 without load buffering (RC11, program order and reads-from acyclic)
};
inline constexpr Model kModels[] = {Model::kSc, Model::kTso, Model::kRc11};

inline constexpr const char* ModelName(Model model) {
  return model == Model::kSc ? "sc" : model == Model::kTso ? "tso" : "rc11";
}

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_ORDER_H_
