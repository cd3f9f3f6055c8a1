// Every behaviour of one program for a driver, each class of equivalent executions once: the
// complete search of fuzzers/schedule on the fibers of a run. How it ends, and what keeps it from
// being complete, is said here; what is done with the runs is up to the caller.
//
// Explored is what follows once a second fiber can go on: loading the driver, and what stands
// before the fibers, has one order unless the driver starts something there.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_SEARCH_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_SEARCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "fuzzers/drivers/run/driver_runner.h"
#include "fuzzers/memory/choices.h"
#include "fuzzers/schedule/complete.h"

namespace cancelsafe::drivers {

// Of what the accesses are not seen, so that each step counts as one that may do anything: "the
// driver is not instrumented", "the implementation is not instrumented", or "".
std::string UnseenBy(const DriverRunner& runner);
// "complete", or what that means then: "complete for switches at services (the driver is ...)".
std::string CompleteText(const std::string& unseen);

// Whether this build can search a driver's programs: elsewhere the accesses of the queues and of
// the machine room go by unseen.
bool CanSearchDrivers();

struct DriverSearchOptions {
  int64_t max_runs = INT64_MAX;
  // Asked before every run: true ends the search.
  std::function<bool()> stop = [] { return false; };
  // Steps go on to the next access that can matter to another fiber. Off: each point begins one.
  // What is explored is the same.
  bool long_steps = true;
  // Off: every order is made, also those that only swap independent steps: for tests.
  bool reduces = true;
};

class DriverSearch {
 public:
  // Both outlive the search. Of the program's schedule the memory model counts alone.
  DriverSearch(const DriverProgram& program, DriverRunner* runner,
               DriverSearchOptions options = DriverSearchOptions());
  ~DriverSearch();
  DriverSearch(const DriverSearch&) = delete;
  DriverSearch& operator=(const DriverSearch&) = delete;

  // Makes the next run; false if there is none. Runs that repeat others on the way are made and
  // not shown. Its output has the choices that repeat it.
  bool Next();
  const DriverRunOutput& output() const { return *output_; }
  // Whether what was counted of the runs before this one no longer counts: the search begins.
  bool begins() const { return begins_; }

  int64_t runs() const { return explorer_->runs(); }
  int64_t cut_runs() const { return explorer_->cut_runs(); }
  schedule::ExploreEnd end() const { return explorer_->end(); }
  double Done() const { return explorer_->Done(); }
  // Every behaviour was run, and judged. Of a driver whose accesses are not seen: every one that
  // switches at services show.
  bool complete() const { return end() == schedule::ExploreEnd::kComplete && bound_.empty(); }
  // Why it is not, after a search that was not stopped: "the length of one execution". "" if
  // it is.
  std::string Bound() const;

 private:
  // Forwards to the explorer what follows the beginning of a run.
  class Stage final : public schedule::Scheduler, public memory::Chooser {
   public:
    void Start(const schedule::Schedule& schedule, int fibers, const uint16_t* hint) override;
    int Pick(const schedule::Decision& decision) override;
    bool sees_all_points() const override { return true; }
    void OnTouch(const volatile void* object, uint8_t parts, bool writes) override {
      if (explores_) explorer->OnTouch(object, parts, writes);
    }
    void OnBlock(const volatile void* object) override {
      if (explores_) explorer->OnBlock(object);
    }
    void OnTouchAll() override {
      if (explores_) explorer->OnTouchAll();
    }
    void OnRest() override {
      if (explores_) explorer->OnRest();
    }
    int Choose(memory::ChoiceKind, int alternatives) override {
      return explores_ ? explorer->Choose(alternatives) : 0;
    }
    schedule::CompleteExplorer* explorer = nullptr;
    int manager = 0;

   private:
    bool explores_ = false;
    uint32_t to_start_ = 0;  // fibers that have not yet come to where they wait first
  };

  void Begin(bool long_steps);
  bool GoesOnToAnEnd();

  const DriverSearchOptions options_;
  DriverProgram program_;
  DriverRunner* const runner_;
  DriverRunOptions run_;
  std::unique_ptr<schedule::CompleteExplorer> explorer_;
  Stage stage_;
  const DriverRunOutput* output_ = nullptr;
  int beginnings_ = 0;  // of the explorer, at the run shown last
  bool begins_ = false;
  bool began_again_ = false;  // with short steps
  std::string bound_;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_SEARCH_H_
