// Runs a program on a driver and says what was wrong: sends the requests, watches what becomes
// of them, brings the run to its end (cancel, cleanup, close, unload), and judges.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_RUNNER_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_RUNNER_H_

#include <string>
#include <vector>

#include "fuzzers/drivers/program/driver_program.h"
#include "fuzzers/drivers/program/profile.h"
#include "fuzzers/drivers/run/driver_feedback.h"
#include "fuzzers/drivers/run/stage.h"
#include "fuzzers/drivers/world/told.h"
#include "fuzzers/drivers/world/world.h"
#include "fuzzers/run/memory_run.h"
#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe::drivers {

struct DriverRunOptions {
  // Accesses of a driver that was built for it are preemption points.
  bool access_points = true;
  bool tells_story = false;
  // In place of the program's schedule, whose choices override as ever.
  schedule::Scheduler* scheduler = nullptr;
  // The scheduler is that of a search of all schedules, which has to be told of all shared
  // state that is accessed (fuzzers/drivers/world/told.h).
  bool tells = false;
  schedule::RunOptions schedule;
};

struct DriverRunOutput {
  Verdict verdict;
  schedule::RunResult schedule;
  int operations = 0;   // carried out
  int skipped = 0;      // what a caller must not do at that moment
  int allocations = 0;  // that could have been made to fail
  int activities = 0;   // that the driver started
  bool starved = false;
  bool restless = false;  // it did not come to rest: rules that need one were not applied
  bool hung = false;      // its code did not come back, which took seconds to notice
  // With `tells`: what callers see of the run: how each request ended, and what was left out; or
  // the rule that was broken.
  std::string outcome;
  const DriverStory* story = nullptr;  // if it was asked for: what happened
};

// What a driver offers, learnt from a run that only loads it, and from its code.
struct DriverFacts {
  bool reads = false;
  bool writes = false;
  bool controls = false;
  std::vector<uint32_t> codes;  // of device control
  int codes_left_out = 0;       // further constants that look like one
  bool filters = false;         // it registered a minifilter
  bool starts = true;           // its entry point succeeded
  bool has_device = false;      // that requests can be sent to
  bool adds_device = false;     // it has set AddDevice, which is not called
  // That are made until its entry point has returned, whatever the schedule. 0 if it starts
  // something else meanwhile, which may allocate before or after that.
  int load_allocations = 0;
  Verdict verdict;  // of loading and unloading it
};

// What to say of codes_left_out.
std::string LeftOutCodesText(const DriverFacts& facts);

class DriverRunner final : private Stage::Play {
 public:
  // Both outlive it; `queues` may be null for the built-in ones.
  explicit DriverRunner(DriverImage* image, const Implementation* queues = nullptr);

  // O(run). The result is valid until the next call.
  const DriverRunOutput& Run(const DriverProgram& program, const DriverRunOptions& options);
  // Whether data races count, in all runs from now on (they do). In builds without the memory
  // engine none is seen.
  void CountRaces(bool counts) { counts_races_ = counts; }
  // Loads and unloads the driver once.
  DriverFacts Learn();
  // What the next runs are sent and judged by beside; it outlives them. Null: nothing.
  void SetProfile(const DriverProfile* profile) { profile_ = profile; }
  const DriverProfile* profile() const { return profile_; }
  // Of every run from here on; null for none. It outlives the runner.
  void SetFeedback(DriverFeedback* feedback) { feedback_ = feedback; }

  // Whether each access of the driver and of the queues is told in runs that tell.
  bool sees_all_accesses() const;
  bool sees_driver() const { return image_->instrumented(); }
  // From the next run on `chooser` makes the choices of memory; null: the schedule does.
  void SetMemoryChooser(memory::Chooser* chooser) { memory_.SetChooser(chooser); }
  // Whether the last run could have gone on otherwise where the memory engine had no room for it.
  bool memory_bounded() const { return memory_.bounded(); }

 private:
  struct File {
    PFILE_OBJECT object = nullptr;
    enum class State : uint8_t { kNew, kBusy, kOpen, kCleaned, kClosed } state = State::kNew;
    int active = 0;  // dispatch routines under way for it
    // What a caller's use of the file orders: opened before it is used, dispatch routines
    // that have returned before cleanup, those and what was completed before close.
    Handover opened;
    Handover returned;
    Handover ended;
  };
  struct Request {
    DriverOperation operation;
    PIRP irp = nullptr;
    UCHAR major = 0;
    uint8_t file = 0;
    bool sent = false;
    bool returned = false;
    bool cancelled = false;
    bool routine_called = false;  // its cancel routine, by a cancel
    bool ends_itself = false;     // sent by the end of the run
    bool mark_is_judged = false;
    int completions = 0;
    NTSTATUS status = 0;      // returned
    NTSTATUS end_status = 0;  // completed with
    bool marked = false;      // at completion
    int kind = -1;            // in the profile
    int sent_at = 0;          // clock_ then, as is the next one
    int returned_at = 0;
    const Request* overtaken_by = nullptr;  // a younger one that ended first
    bool pending() const { return sent && completions == 0; }
  };

  // What a run knows of a request is one object, apart from the one that is waited for: a wait
  // leaves out what was done to its own (Footprint::SetBlocked).
  static void TellRequest(const Request& request, bool writes) {
    TellObject(&request.completions, writes);
  }

  void Fiber(int fiber) override;
  void Manage() override;
  bool Unstick() override;

  void Do(const DriverOperation& operation);
  bool Carry(const DriverOperation& operation);
  bool Open(int file);
  bool Cleanup(int file);
  bool Close(int file);
  bool SendRequest(const DriverOperation& operation, Request* request);
  bool Cancel(Request* request);
  bool Unload(bool mandatory);
  NTSTATUS Send(Request* request, const RequestSpec& spec);
  NTSTATUS SendPlain(UCHAR major, int file);
  void JudgeReturn(Request* request);
  static void OnComplete(PIRP irp, void* context);
  void JudgeCompletion(Request* request);

  void BringToRest();
  // Cancels what its dispatch routine waits with. False if there is nothing to cancel.
  bool CancelStuck();
  void JudgeAfterCleanup(const Request& request);
  void JudgePending();
  void JudgeOrder(Request* ended);
  void FailOrder(const Request& older, const Request& younger);
  bool MayHaveBeenWoken(const Request& request) const;
  void CancelAndProbe();
  void CancelAtRest(Request* request);
  void EndFiles();
  void JudgeMemory();
  void NameStaleChoices();
  std::string Outcome() const;
  std::string NameOfAddress(uintptr_t address) const;
  void JudgeUnloaded();
  void TellFeedback();
  bool HasPending(int file) const;
  // "read 1 0 out=8", and that in quotation marks.
  std::string Title(const Request& request) const;
  std::string Name(const Request& request) const;

  DriverImage* const image_;
  const Implementation* const queues_;
  Stage& stage_ = Stage::Get();
  const DriverProgram* program_ = nullptr;
  MemoryRun memory_;
  bool counts_races_ = true;
  DriverRunOutput output_;
  File files_[kMaxFiles];
  // The program's, then probes and what the end of a run sends.
  static constexpr int kMaxExtra = 48;
  Request requests_[kMaxRequests + kMaxExtra];
  int extra_ = 0;
  int clock_ = 0;  // counts calls and returns of dispatch routines
  const DriverProfile* profile_ = nullptr;
  bool started_ = false;
  Handover loaded_;  // the driver, and what is done before the fibers
  bool entry_failed_ = false;
  bool unloaded_ = false;  // or being so
  DriverFacts facts_;
  DriverFeedback* feedback_ = nullptr;
  // Whose dispatch routine a fiber is in; null if in none.
  const Request* dispatched_[schedule::kFiberCapacity] = {};
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_RUNNER_H_
