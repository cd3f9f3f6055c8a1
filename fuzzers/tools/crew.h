// Several processes that take numbered tasks, one after the other in order, until one of them
// finds something, a user wants no more, or there are none left. A task that takes its process
// down has found something too. Knows nothing of what the tasks are.
#ifndef CANCELSAFE_FUZZERS_TOOLS_CREW_H_
#define CANCELSAFE_FUZZERS_TOOLS_CREW_H_

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/signals.h"

namespace cancelsafe {

inline constexpr int kMaxCrewJobs = 256;

// Values that the processes of a crew write and their parent reads. Null without memory. T is
// plain: nothing destroys it.
template <typename T>
std::unique_ptr<T[], std::function<void(T*)>> SharedArray(int count) {
  const size_t size = sizeof(T) * static_cast<size_t>(count);
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  T* const first = memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
  for (int i = 0; first != nullptr && i < count; ++i) new (first + i) T;
  return {first, [size](T* values) { munmap(values, size); }};
}

struct CrewPlan {
  int64_t first = 0;  // the number of the first task
  int64_t step = 1;   // from one to the next
  int jobs = 1;       // processes, 1..kMaxCrewJobs
  int seconds = 0;    // no task is begun after so long; 0: no limit
};

enum class TaskEnd : uint8_t {
  kDone,
  kFound,    // something for which larger tasks are not needed
  kGivenUp,  // since it was asked to
  kNoTask,   // none has this number: CrewMember::NoTaskFrom
};

struct CrewBoard;

// What a task sees of its process.
class CrewMember {
 public:
  CrewMember(CrewBoard* board, int number) : board_(board), number_(number) {}

  int number() const { return number_; }  // of the process, from 0
  // Whether its present task is to be given up: a user wants no more, or a smaller one has
  // found something. O(1).
  bool GivesUp() const;
  // To be returned for a task that does not exist: all smaller ones than `number` do.
  TaskEnd NoTaskFrom(int64_t number) const;
  // For the progress that people see: what this process has done by now.
  void Count(int64_t tasks, int64_t runs) const;

 private:
  CrewBoard* const board_;
  const int number_;
};

// Carries out the task with this number.
using CrewTask = std::function<TaskEnd(int64_t task)>;

struct CrewEnd {
  int64_t found = -1;      // the smallest task that found something, -1: none
  std::string stopped_by;  // "Ctrl-C", "10 seconds", or "" if all tasks were taken
  // All tasks before this one are done, but for `lost`: it is where another crew goes on, or the
  // number of all tasks.
  int64_t next = 0;
  bool all = false;  // there is no task behind them
  int lost = 0;      // tasks before `next` that were given up
  double seconds = 0;
};

// Goes on until all processes have ended. `start` is called in each of them, and the task that
// it returns may use what it made; what they print is dropped. `show` is called now and then
// with the sums of what the processes have counted. Which task is the smallest that finds
// something does not depend on the number of processes. Errors say what the system refused, or
// how a process ended outside of its tasks.
absl::StatusOr<CrewEnd> RunCrew(const CrewPlan& plan,
                                const std::function<CrewTask(CrewMember*)>& start,
                                const std::function<void(int64_t tasks, int64_t runs)>& show,
                                const StopSignals& stop);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_CREW_H_
