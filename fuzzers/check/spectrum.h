// Which places of an implementation's code go together with a failure: statistics over
// programs like the one that fails (Ochiai's coefficient). Values; runs nothing.
#ifndef CANCELSAFE_FUZZERS_CHECK_SPECTRUM_H_
#define CANCELSAFE_FUZZERS_CHECK_SPECTRUM_H_

#include <cstdint>
#include <map>
#include <vector>

namespace cancelsafe {

struct Spectrum {
  // Of how many programs something is true.
  struct Count {
    int failing = 0;
    int passing = 0;
    bool in_call = false;  // it happened while the call of the verdict was open
  };

  // Programs that failed, in this way, and passed; what failed otherwise counts for neither.
  int failing = 0;
  int passing = 0;
  // By where and what: how far behind the begin of the code (CodeBegin in exchange.h), times 4, and
  // TracedCode::Happened. The same in every process.
  std::map<uint64_t, Count> counts;

  bool empty() const { return failing == 0; }
  // 1 for what happened in all failing programs and in no other, 0 in none of them.
  double Score(uint64_t what) const;
  double Best() const;
  // What scores at least `share` of the best, best first; of equals, what ran in the call of
  // the verdict, then by place.
  std::vector<uint64_t> Ranked(double share) const;
};

inline uint64_t PlaceOf(uint64_t what) { return what / 4; }

// Whether one place explains both failures about as well as any place explains either.
bool ShareSuspect(const Spectrum& a, const Spectrum& b);

// How well the places that explain `root` best explain `other` too: 1 as well as any does.
double ShareOf(const Spectrum& root, const Spectrum& other);

// The spectrum of a cause that shows in these ways. Each counts alike, however often it was
// met.
std::vector<uint64_t> RankedTogether(const std::vector<const Spectrum*>& spectra);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_SPECTRUM_H_
