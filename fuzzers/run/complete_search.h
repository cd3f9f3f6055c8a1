// Every behaviour of one program: each order of its calls, callbacks and accesses that can
// make a difference, without a bound. Needs the flavour whose accesses are all seen (the
// memory engine); the runner must be one with access points.
#ifndef CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_
#define CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/schedule/call_orders.h"
#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/split_exploration.h"

namespace cancelsafe {

// Whether this build can search completely: elsewhere accesses go by unseen.
bool CanSearchCompletely();

struct CompleteSearchOptions {
  int64_t max_runs = INT64_MAX;
  // Asked before every run, also those that are not shown: true ends the search.
  std::function<bool()> stop = [] { return false; };
  // Asked between two runs: true makes Next return false for now, so that the search can be left.
  std::function<bool()> pause = [] { return false; };
  // Runs that differ only in which calls had ended before which others began are one
  // execution: the histories of the others follow from it, and are judged like its own (of
  // two histories, not the one with less of that order). Off: all are made.
  bool tight_calls = true;
  // Every history that follows from a run in which no fiber waited is made too, as if it did
  // not pass: for tests.
  bool make_all_orders = false;
  // Sees every history that is judged.
  std::function<void(const History&, const Verdict&)> see = nullptr;
};

// How far a search is, or several of one program together.
struct CompleteState {
  int64_t runs = 0;
  int64_t cut_runs = 0;
  schedule::ExploreEnd end = schedule::ExploreEnd::kRunning;
  bool bounded = false;  // a run met a limit of the harness
  bool strayed = false;  // a failure that followed from a run is that of no run
};

class CompleteSearch {
 public:
  // Both outlive the search. The schedule of the program does not matter.
  CompleteSearch(const Program& program, Runner* runner, CompleteSearchOptions options = {});
  ~CompleteSearch();
  CompleteSearch(const CompleteSearch&) = delete;
  CompleteSearch& operator=(const CompleteSearch&) = delete;

  // Makes the next run and judges it; false if there is none. Runs that turn out to repeat
  // others on the way are made, counted and not shown. *passed: without a violation. Of a
  // history that follows from a run and does not pass, the run is made and shown next. Where a
  // run is too long to be explored it is made without exploring, and shown if it fails.
  bool Next(bool* passed);

  // Whether the run shown last is the first one since the search has begun again, or has begun:
  // what was counted of the runs before it no longer counts.
  bool begins() const { return begins_; }

  const Runner& runner() const { return *runner_; }
  int64_t runs() const { return explorer_.runs(); }
  int64_t cut_runs() const { return explorer_.cut_runs(); }
  schedule::ExploreEnd end() const { return explorer_.end(); }
  CompleteState state() const;
  // An estimate of how much is done, from 0 to 1.
  double Done() const { return explorer_.Done(); }
  bool complete() const;
  // Of memory: the runner's, or sc if that names none.
  const char* model() const;
  // "complete: 12 executions (3 cut), model sc, no bound", or by what it was bounded.
  std::string Summary() const { return Summary(state()); }
  // Of a search of which this one is a part.
  std::string Summary(const CompleteState& whole) const;

  // For a search in parts (split_exploration.h).
  const schedule::CompleteExplorer& explorer() const { return explorer_; }
  void Resume(const schedule::CompleteKnowledge& known,
              const schedule::SplitExploration::Part& part);

 private:
  static schedule::CompleteOptions ExplorerOptions(const Runner& runner,
                                                   const CompleteSearchOptions& options);
  bool MakeNext(bool* passed);
  bool RunsStandForOthers() const;
  void JudgeOtherOrders();
  bool GoesOnToAnEnd();
  bool MakeOrder(const schedule::CallOrders::Order& order);
  bool MakeAnyLike(const std::string& kind);

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
  int beginnings_ = 0;  // of the explorer, at the run shown last
  bool begins_ = false;
  bool bounded_ = false;  // a run met a limit of the harness
  bool strayed_ = false;  // a failure that followed from a run is that of no run
  // Of the last run of the explorer.
  schedule::CallOrders orders_;
  struct ToMake {
    schedule::CallOrders::Order order;
    std::string kind;  // of its failure
  };
  std::deque<ToMake> to_make_;        // of each kind the first
  std::set<std::string> kinds_;       // of these
  std::unique_ptr<History> history_;  // in one of the orders
  std::vector<uint32_t> times_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_COMPLETE_SEARCH_H_
