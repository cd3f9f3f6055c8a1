// Makes a failing program as small and plain as it can be. What "failing" means
// is the caller's predicate; it should insist on the same verdict, so that
// minimisation does not drift to another bug.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_MINIMIZE_H_
#define CANCELSAFE_FUZZERS_PROGRAM_MINIMIZE_H_

#include <functional>

#include "fuzzers/program/program.h"

namespace cancelsafe {

struct MinimizeOptions {
  // Calls of the predicate; when they are used up the smallest program so far is
  // the result.
  int attempts_max = 100'000;
  // Deleting an operation makes later decisions come earlier. A candidate that no
  // longer fails is tried again with its later choices up to this much earlier.
  int shift_max = 32;
  // If set: looks for another schedule under which the candidate fails, puts it
  // in and returns true. Called for candidates that have several fibers and do
  // not fail as they are; counts as one attempt.
  std::function<bool(Program*)> reschedule;
};

struct MinimizeProgress {
  int attempts = 0;
  int operations = 0;
  int fibers = 0;
  int choices = 0;
  int stale = 0;  // choices of the memory model
};

// The predicate says whether a normalized program still fails. If it does not
// hold for `program` itself, that is the result. Otherwise the result satisfies
// it, and (unless attempts ran out) no deletion of a stale choice, of one operation, of two
// if there are at most 24, of a fiber or of a choice still does. Stale choices go first: a
// failure that needs none is one of any processor.
// `progress` may be null; it is called after every success. Deterministic if the
// predicate is.
Program MinimizeProgram(const Program& program,
                        const std::function<bool(const Program&)>& still_fails,
                        const std::function<void(const MinimizeProgress&)>& progress = nullptr,
                        const MinimizeOptions& options = MinimizeOptions());

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_MINIMIZE_H_
