// Every behaviour of one program: each order of its calls, callbacks and accesses that can
// make a difference, without a bound. Needs the flavour whose accesses are all seen (the
// memory engine); the runner must be one with access points.
#ifndef CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_
#define CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_

#include <cstdint>
#include <functional>
#include <string>

#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/schedule/complete.h"

namespace cancelsafe {

// Whether this build can search completely: elsewhere accesses go by unseen.
bool CanSearchCompletely();

struct CompleteSearchOptions {
  int64_t max_runs = INT64_MAX;
  // Asked before every run, also those that are not shown: true ends the search.
  std::function<bool()> stop = [] { return false; };
  // Of the runs that differ only in which calls had ended before which others began, only
  // those with the most of it (complete.h). Off: all of them.
  bool tight_calls = true;
};

class CompleteSearch {
 public:
  // Both outlive the search. The schedule of the program does not matter.
  CompleteSearch(const Program& program, Runner* runner, CompleteSearchOptions options = {});
  ~CompleteSearch();
  CompleteSearch(const CompleteSearch&) = delete;
  CompleteSearch& operator=(const CompleteSearch&) = delete;

  // Makes the next run and judges it; false if there is none. Runs that turn out to repeat
  // others on the way are made, counted and not shown. *passed: without a violation.
  bool Next(bool* passed);

  int64_t runs() const { return explorer_.runs(); }
  int64_t cut_runs() const { return explorer_.cut_runs(); }
  schedule::ExploreEnd end() const { return explorer_.end(); }
  // An estimate of how much is done, from 0 to 1.
  double Done() const { return explorer_.Done(); }
  bool complete() const;
  // Of memory: the runner's, or sc if that names none.
  const char* model() const;
  // "complete: 12 executions (3 cut), model sc, no bound", or by what it was bounded.
  std::string Summary() const;

 private:
  static schedule::CompleteOptions ExplorerOptions(const Runner& runner,
                                                   const CompleteSearchOptions& options);

  // What the memory model leaves open is explored like the order of steps.
  struct Alternatives final : memory::Chooser {
    int Choose(memory::ChoiceKind, int alternatives) override {
      return explorer->Choose(alternatives);
    }
    schedule::CompleteExplorer* explorer = nullptr;
  };

  const CompleteSearchOptions options_;
  Program program_;
  Runner* const runner_;
  schedule::RunOptions run_options_;
  schedule::CompleteExplorer explorer_;
  Alternatives alternatives_;
  bool bounded_ = false;  // a run met a limit of the harness
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_
