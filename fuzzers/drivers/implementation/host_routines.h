// Routines of the host's as a PE image calls them: each gets a converter, a function with the
// Microsoft calling convention that passes the call on. An image is given converters of callbacks,
// which it stores and calls later. Which pointers are callbacks is not known here.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_HOST_ROUTINES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_HOST_ROUTINES_H_

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {

template <typename Signature>
class HostRoutines;

// The converters of routines of one type. Functions of the program, not made at run time, so that
// the unwinder knows their frames; hence so many different routines at most in one process. A
// family's test driver has two of a type, a case of the conformance suite a few.
template <typename Result, typename... Parameters>
class HostRoutines<Result(Parameters...)> {
 public:
  using Routine = Result (*)(Parameters...);

  // The converter of `routine`, with its type but the other calling convention: the same one each
  // time. Null for null; what is a converter, or code of an image, is returned as it is.
  // O(converters in use).
  static Routine ForImage(Routine routine) {
    if (routine == nullptr || KiIsWindowsCode(routine)) return routine;
    for (int i = 0; i < used_; ++i) {
      if (targets_[i] == routine || kConverters[i] == AsWindows(routine)) {
        return AsHost(kConverters[i]);
      }
    }
    if (used_ == kMax) {
      fprintf(stderr, "cancelsafe: more than %d callbacks of one type are given to a PE image\n",
              kMax);
      abort();
    }
    targets_[used_] = routine;
    return AsHost(kConverters[used_++]);
  }

 private:
  using Windows = Result(CANCELSAFE_MS_ABI*)(Parameters...);
  static constexpr int kMax = 24;

  static Windows AsWindows(Routine routine) { return reinterpret_cast<Windows>(routine); }
  static Routine AsHost(Windows routine) { return reinterpret_cast<Routine>(routine); }

  template <int kNumber>
  CANCELSAFE_MS_ABI static Result Convert(Parameters... parameters) {
    return targets_[kNumber](parameters...);
  }

  struct Table {
    Windows converter[kMax];
    constexpr Windows operator[](int number) const { return converter[number]; }
  };
  template <int... kNumbers>
  static constexpr Table MakeTable(std::integer_sequence<int, kNumbers...>) {
    return {{&Convert<kNumbers>...}};
  }

  static inline Routine targets_[kMax] = {};
  static inline int used_ = 0;
  static const Table kConverters;
};

template <typename Result, typename... Parameters>
const typename HostRoutines<Result(Parameters...)>::Table
    HostRoutines<Result(Parameters...)>::kConverters =
        MakeTable(std::make_integer_sequence<int, kMax>());

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_HOST_ROUTINES_H_
