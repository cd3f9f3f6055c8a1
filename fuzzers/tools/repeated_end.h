// `replay --repeat` for a run that ends its process (a crash, an exit, a run without an end):
// each repetition has a process of its own, and what each of them printed is compared. Knows
// nothing of what is run.
#ifndef CANCELSAFE_FUZZERS_TOOLS_REPEATED_END_H_
#define CANCELSAFE_FUZZERS_TOOLS_REPEATED_END_H_

#include <atomic>
#include <functional>
#include <string>

#include "base/guest_host.h"
#include "fuzzers/tools/crew.h"

namespace cancelsafe {

// What a child prints to its standard output, for its parent to read.
class CapturedOutput {
 public:
  // Throws SetupError if there is no room for it.
  CapturedOutput();
  ~CapturedOutput();
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  // In the child, before it prints.
  void TakeOver();
  // In the parent, after the child's end.
  std::string Text() const;

 private:
  int file_;
};

// The child says by it that the repetitions were made in its own process.
class RepetitionsMade {
 public:
  RepetitionsMade() : made_(SharedArray<std::atomic<bool>>(1)) {}
  void Say() const {
    if (made_ != nullptr) made_[0] = true;
  }
  bool WasSaid() const { return made_ != nullptr && made_[0]; }

 private:
  std::unique_ptr<std::atomic<bool>[], std::function<void(std::atomic<bool>*)>> made_;
};

// Whether two children came to the same end.
bool SameEnd(const HostedEnd& a, const HostedEnd& b);

// The first line in which two texts differ, of `b`; "" if they are equal.
std::string FirstOtherLine(const std::string& a, const std::string& b);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_REPEATED_END_H_
