// The suite checked by the suite: the built-in implementation has to pass, a null
// one has to be "not provided" throughout, and each wrong one has to fail. Says
// for each clause whether some wrong implementation made it fail.
#ifndef CANCELSAFE_CONFORMANCE_SELFCHECK_SELF_CHECK_H_
#define CANCELSAFE_CONFORMANCE_SELFCHECK_SELF_CHECK_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance/hosts/user/sandbox.h"

namespace cancelsafe::conformance {

struct SelfCheckResult {
  bool ok = false;
  std::vector<std::string> complaints;            // why not ok
  int wrong = 0;                                  // wrong implementations tried
  std::vector<std::string> unnoticed;             // wrong ones that passed everything
  std::set<std::string> checked;                  // clauses checked on the built-in one
  std::map<std::string, std::string> noticed_by;  // clause -> first wrong one it caught
  std::vector<std::string> never_failed;
};

// At least this share of the checked clauses has to be seen to fail.
inline constexpr int kNoticedPercentMin = 90;

// `right` is what has to pass, the built-in implementation by default;
// if it does not, nothing else is tried. Takes half a minute. With a `stride` above 1 only every
// stride-th wrong implementation is tried, and the share of clauses is not judged: for builds in
// which forking is expensive.
SelfCheckResult RunSelfCheck(int stride = 1);
SelfCheckResult RunSelfCheck(const Subject& right, const std::string& name, int stride = 1);
std::string SelfCheckText(const SelfCheckResult& result);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_SELF_CHECK_H_
