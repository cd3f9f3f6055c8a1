// How cancelling scales: one and two threads, each with a queue and an IRP of its
// own, cancel; beside threads that only insert and remove.
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks.h"
#include "csq_drivers.h"
#include "measurements.h"

namespace cancelsafe {
namespace {

// About a millisecond of work: shorter than a time slice, so that threads which
// start together mostly run together to the end.
constexpr int kOperationsPerStretch = 20000;
constexpr int kStretches = 20;
constexpr int kAttemptsPerStretch = 50;

void InsertAndCancel(LibraryDriver* driver, PIRP irp) {
  for (int i = 0; i < kOperationsPerStretch; ++i) {
    driver->Insert(irp, nullptr);
    benchmark::DoNotOptimize(IoCancelIrp(irp));
    irp->Cancel = FALSE;  // The driver's own IRP, used again.
  }
}

void InsertAndRemove(LibraryDriver* driver, PIRP irp) {
  for (int i = 0; i < kOperationsPerStretch; ++i) {
    driver->Insert(irp, nullptr);
    benchmark::DoNotOptimize(driver->RemoveNext());
  }
}

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Every thread gets a processor to itself, if there are enough.
std::vector<int> AllowedProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  std::vector<int> processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

struct Stretch {
  double wall;
  bool undisturbed;
};

// Runs `work` on `threads` threads that start together; the slowest counts. A
// thread that lost its processor meanwhile makes the stretch a disturbed one.
Stretch RunStretch(void (*work)(LibraryDriver*, PIRP), const std::vector<int>& processors,
                   int threads) {
  std::atomic<int> waiting{threads};
  std::vector<Stretch> stretches(static_cast<size_t>(threads));
  auto run = [&](size_t index) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processors[index], &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    LibraryDriver driver;
    PlacedIrp placed;
    waiting.fetch_sub(1);
    while (waiting.load() != 0) sched_yield();
    const double processor_start = Seconds(CLOCK_THREAD_CPUTIME_ID);
    const double start = Seconds(CLOCK_MONOTONIC);
    work(&driver, placed.irp());
    const double wall = Seconds(CLOCK_MONOTONIC) - start;
    const double processor = Seconds(CLOCK_THREAD_CPUTIME_ID) - processor_start;
    stretches[index] = {wall, processor > 0.98 * wall};
  };
  std::vector<std::thread> running;
  for (size_t i = 0; i < stretches.size(); ++i) running.emplace_back(run, i);
  for (std::thread& thread : running) thread.join();
  Stretch slowest = stretches[0];
  for (const Stretch& stretch : stretches) {
    slowest.wall = std::max(slowest.wall, stretch.wall);
    slowest.undisturbed = slowest.undisturbed && stretch.undisturbed;
  }
  return slowest;
}

// Time per operation of each thread while all of them work.
void OnThreads(benchmark::State& state, void (*work)(LibraryDriver*, PIRP), int threads) {
  const std::vector<int> processors = AllowedProcessors();
  if (static_cast<int>(processors.size()) < threads) {
    state.SkipWithError("not enough processors");
    return;
  }
  for (auto _ : state) {
    Stretch stretch = RunStretch(work, processors, threads);
    for (int i = 1; i < kAttemptsPerStretch && !stretch.undisturbed; ++i) {
      stretch = RunStretch(work, processors, threads);
    }
    if (!stretch.undisturbed) {
      state.SkipWithError("the machine is too busy for threads to run together");
      return;
    }
    state.SetIterationTime(stretch.wall / kOperationsPerStretch);
  }
}

}  // namespace

void RegisterCancelBenchmarks() {
  for (int threads : {1, 2}) {
    const std::string count = std::to_string(threads);
    benchmark::RegisterBenchmark(("threads/cancel/" + count).c_str(), &OnThreads, &InsertAndCancel,
                                 threads)
        ->UseManualTime()
        ->Iterations(kStretches);
    benchmark::RegisterBenchmark(("threads/pairs/" + count).c_str(), &OnThreads, &InsertAndRemove,
                                 threads)
        ->UseManualTime()
        ->Iterations(kStretches);
  }
}

}  // namespace cancelsafe
