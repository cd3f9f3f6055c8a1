// How much of a long test a build can afford. For tests alone: what a budget is for, the test
// says itself.
#ifndef CANCELSAFE_BASE_AFFORDABLE_H_
#define CANCELSAFE_BASE_AFFORDABLE_H_

namespace cancelsafe {

// `count` runs, seeds or programs, or a tenth under AddressSanitizer and ThreadSanitizer, which
// make a run that many times slower.
constexpr int Affordable(int count) {
#if defined(CANCELSAFE_SANITIZER_ADDRESS) || defined(CANCELSAFE_SANITIZER_THREAD)
  return count / 10;
#else
  return count;
#endif
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_AFFORDABLE_H_
