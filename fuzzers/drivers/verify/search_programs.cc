// See search_programs.h.
#include "fuzzers/drivers/verify/search_programs.h"

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/verify/driver_worlds.h"

namespace cancelsafe::drivers {
namespace {

// In one process: the programs up to the one that is wanted are gone through.
class Searcher {
 public:
  Searcher(const ProgramsPlan& plan, const LoadedDriver& driver, std::function<bool()> stop)
      : runner_(driver.image.get(), driver.queues.get()),
        facts_(runner_.Learn()),
        search_(plan.search),
        worlds_(plan.scope,
                VariantsOf(plan.scope, facts_, HasTime(*driver.image), driver.profile.get())) {
    runner_.SetProfile(driver.profile.get());
    search_.load_allocations = facts_.load_allocations;
    search_.failures = plan.scope.failures;
    search_.stop = std::move(stop);
  }

  // False if there is none with this number; `count` is then that of all.
  bool GoTo(int64_t number) {
    while (worlds_.index() < number) {
      if (!worlds_.Next()) return false;
    }
    return true;
  }
  int64_t count() const { return worlds_.index() + 1; }
  ProgramEnd Search(DriverTally* tally) {
    return SearchProgram(&runner_, worlds_.program(), worlds_.hash(), search_, tally, &finding);
  }

  DriveFinding finding;

 private:
  DriverRunner runner_;
  const DriverFacts facts_;
  ProgramSearchOptions search_;
  DriverWorlds worlds_;
};

}  // namespace

absl::StatusOr<ProgramsEnd> SearchPrograms(const ProgramsPlan& plan, const LoadedDriver& driver,
                                           const StopSignals& stop) {
  const auto tallies = SharedArray<DriverTally>(plan.crew.jobs);
  if (tallies == nullptr) return absl::UnavailableError("no memory for the sums of the workers");
  const absl::StatusOr<CrewEnd> crew = RunCrew(
      plan.crew,
      [&](CrewMember* member) -> CrewTask {
        const auto searcher =
            std::make_shared<Searcher>(plan, driver, [member] { return member->GivesUp(); });
        DriverTally* const tally = &tallies[static_cast<size_t>(member->number())];
        return [searcher, tally, member](int64_t number) {
          if (!searcher->GoTo(number)) return member->NoTaskFrom(searcher->count());
          const ProgramEnd end = searcher->Search(tally);
          member->Count(tally->programs, tally->executions);
          return end == ProgramEnd::kViolation ? TaskEnd::kFound
                 : end == ProgramEnd::kStopped ? TaskEnd::kGivenUp
                                               : TaskEnd::kDone;
        };
      },
      [&plan](int64_t programs, int64_t executions) {
        if (!plan.progress) return;
        fprintf(stderr, "\r%-78s",
                absl::StrCat(programs, " programs, ", executions, " executions").c_str());
      },
      stop);
  if (plan.progress) fprintf(stderr, "\r%78s\r", "");
  if (!crew.ok()) return crew.status();
  ProgramsEnd end;
  end.crew = *crew;
  for (int i = 0; i < plan.crew.jobs; ++i) end.tally.Add(tallies[static_cast<size_t>(i)]);
  end.tally.programs += crew->lost;
  end.tally.unjudged[static_cast<int>(Unjudged::kOther)] += crew->lost;
  return end;
}

bool FindAgain(const ProgramsPlan& plan, const LoadedDriver& driver, int64_t number,
               const std::function<bool()>& stop, DriveFinding* finding) {
  constexpr int kMinimizeRuns = 20000;
  Searcher searcher(plan, driver, stop);
  DriverTally tally;
  if (!searcher.GoTo(number) || searcher.Search(&tally) != ProgramEnd::kViolation) return false;
  *finding = searcher.finding;
  // Each run that hangs takes seconds.
  if (driver.runner->Run(finding->program, DriverRunOptions()).hung) return true;
  *finding = DriveFuzzer(driver.runner.get()).Minimize(searcher.finding, kMinimizeRuns);
  return true;
}

}  // namespace cancelsafe::drivers
