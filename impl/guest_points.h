// Where the schedule can switch in a shared object under test, as far as its machine code
// tells: a routine that calls nothing of its host, and nothing unknown, runs from start to
// end without a preemption point. Nothing is loaded or run.
#ifndef CANCELSAFE_IMPL_GUEST_POINTS_H_
#define CANCELSAFE_IMPL_GUEST_POINTS_H_

#include <set>
#include <string>
#include <vector>

namespace cancelsafe {

struct GuestPoints {
  int routines = 0;                  // documented ones that it exports, but those that initialise
  std::vector<std::string> without;  // of them those without any preemption point
};

// Zero routines for what cannot be read as a shared object. A routine is listed only if
// that is certain: one that makes a call whose target is not known is not. With
// `access_points` the hooks of loads and stores are points, if it was built with them. `called`
// are the routines that matter, all if it is empty.
// O(size of the file).
GuestPoints FindGuestPoints(const std::string& path, bool access_points,
                            const std::set<std::string>& called = {});

// "FILE: 5 of 7 routines have no preemption point (A, B, ...): build with ...", or "" if all
// have some. Of a PE image, what ImageFormat (image_format.h) says of it.
std::string DescribeGuestPoints(const std::string& path, bool access_points,
                                const std::set<std::string>& called = {});

// Prints that to the standard error, as a warning; only of the routines in `called`, if any are
// given.
void WarnOfRoutinesWithoutPoints(const std::string& path, bool access_points,
                                 const std::set<std::string>& called = {});

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_GUEST_POINTS_H_
