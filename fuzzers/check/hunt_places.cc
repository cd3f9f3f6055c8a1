// See hunt_places.h.
#include "fuzzers/check/hunt_places.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "base/process.h"
#include "fuzzers/check/alike.h"
#include "fuzzers/check/call_site.h"
#include "fuzzers/check/effects.h"
#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/hunt_runs.h"
#include "fuzzers/check/suspects.h"
#include "fuzzers/check/traced_code.h"
#include "fuzzers/memory/modules.h"
#include "impl/image_format.h"

namespace cancelsafe {
namespace {

constexpr int kSuspectRuns = 1500;
constexpr int kSchedules = 60;             // other ones that are tried with exchanged routines
constexpr double kExchangeSecondsMax = 5;  // for one failure and one routine

SourceLine LineAt(uintptr_t address) {
  if (address == 0) return SourceLine();
  SourceLine line = ParseSourceLine(memory::DescribeReturn(address));
  // The documented headers are not what is checked.
  return absl::StrContains(line.file, "impl/include/") ? SourceLine() : line;
}

void AddLine(uintptr_t address, CheckFinding* finding) {
  SourceLine line = LineAt(address);
  if (!line.known()) return;
  for (const SourceLine& other : finding->lines) {
    if (other.file == line.file && other.line == line.line) return;
  }
  finding->lines.push_back(std::move(line));
}

// Of these rules and clauses, the ones that the finding does not break.
std::vector<std::string> OthersIn(const std::vector<std::string>& ignored,
                                  const CheckFinding& finding) {
  std::vector<std::string> others;
  for (const std::string& entry : ignored) {
    if (entry != finding.verdict.clause && entry != finding.verdict.rule) others.push_back(entry);
  }
  return others;
}

}  // namespace

HuntPlaces::HuntPlaces(const HuntPlan& plan, const Implementation& implementation,
                       const Known& known, HuntBoard* board)
    : plan_(plan),
      implementation_(implementation),
      known_(known),
      board_(board),
      exchanges_(plan.exchange) {}

void HuntPlaces::FindLines(Runner* runner, const Implementation& implementation,
                           const Program& program, CheckFinding* finding) {
  if (finding->verdict.kind == VerdictKind::kDataRace) {
    finding->lines = LinesOfRace(finding->verdict.reason);
    finding->seen_there = true;
    return;
  }
  board_->site = CallSite();
  const void* const inside = CodeOf(implementation);
  RunHuntChild([&] { board_->site = FindCallSite(runner, program, inside); }, 5);
  const bool consequence = IsConsequence(finding->verdict);
  // The call as a whole is wrong, not what it did last.
  const bool outer_first = finding->verdict.rule == RuleInfo(Rule::kIrqlRestored).name ||
                           finding->verdict.rule == RuleInfo(Rule::kLocksKept).name ||
                           finding->verdict.rule == RuleInfo(Rule::kLockPairing).name;
  finding->seen_there = !consequence && board_->site.innermost != 0;
  if (outer_first) AddLine(board_->site.outermost, finding);
  AddLine(board_->site.innermost, finding);
  AddLine(board_->site.caller, finding);
  AddLine(board_->site.outermost, finding);
}

const Implementation& HuntPlaces::With(const std::set<std::string>& routines) {
  const Exchanges::Loaded* const loaded = exchanges_.With(routines);
  return loaded != nullptr ? loaded->implementation : implementation_;
}

void HuntPlaces::TakeSpectrum(const std::set<std::string>& guilty,
                              const std::vector<std::string>& ignored, const Program& program,
                              CheckFinding* finding) {
  const std::set<std::string> own = RoutinesIn(finding->vanishes_without);
  if (!own.empty()) {
    std::set<std::string> rest = guilty;
    for (const std::string& routine : own) rest.erase(routine);
    if (TakeSpectrumWith(exchanges_.AllBut(own), plan_.ignore, program, finding)) return;
    if (!rest.empty() && TakeSpectrumWith(rest, plan_.ignore, program, finding)) return;
  }
  TakeSpectrumWith({}, OthersIn(ignored, *finding), program, finding);
}

bool HuntPlaces::TakeSpectrumWith(const std::set<std::string>& routines,
                                  const std::vector<std::string>& ignored, Program program,
                                  CheckFinding* finding) {
  const Exchanges::Loaded* const loaded = exchanges_.With(routines);
  if (loaded == nullptr && !routines.empty()) return false;
  const Implementation& implementation =
      loaded != nullptr ? loaded->implementation : implementation_;
  const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, implementation, ignored);
  const std::string key = finding->Key();
  if (loaded != nullptr && !FailsAlike(runner.get(), key, &program)) return false;
  const std::string reach = ReachOf(program);
  const auto same = [&](const Program& other) {
    return FindingOf(runner->output().verdict, RoutineOf(*runner)).Key() == key &&
           Reaches(ReachOf(other), reach);
  };
  board_->neighbours = board_->failing = board_->passing = board_->traced_count = 0;
  for (int deaths = 0; deaths < kHuntDeathsMax; ++deaths) {
    const bool ended = RunHuntChild(
        [&] { FindSuspects(runner.get(), program, plan_.seed, kSuspectRuns, same, board_); },
        kHuntChildSecondsMax);
    if (ended) break;
  }
  if (board_->failing == 0) return false;
  memory::Module module;
  memory::FindModule(reinterpret_cast<uintptr_t>(CodeOf(implementation)), &module);
  const uintptr_t begin =
      module.load_address +
      (loaded != nullptr ? loaded->code_begin : CodeBegin(plan_.implementation));
  Spectrum& spectrum = finding->spectrum;
  spectrum.failing = board_->failing;
  spectrum.passing = board_->passing;
  for (int i = 0; i < board_->traced_count; ++i) {
    const HuntBoard::Traced& one = board_->traced[i];
    // The hook's call returns there; what was called lies before it.
    const uint64_t place = TracedCode::AddressOf(one.block) - 1 - begin;
    spectrum.counts[place * 4 + TracedCode::HappenedAt(one.block)] = {
        static_cast<int>(one.failing), static_cast<int>(one.passing), one.in_call};
  }
  return true;
}

void HuntPlaces::TakeDifference(const std::set<std::string>& guilty,
                                const std::vector<std::string>& ignored, const Program& program,
                                CheckFinding* finding) {
  const std::set<std::string> own = RoutinesIn(finding->vanishes_without);
  if (own.empty()) return;
  std::set<std::string> rest = guilty;
  for (const std::string& routine : own) rest.erase(routine);
  // Those that fail in this way only without other rules fail so without them.
  TakeDifferenceOf(exchanges_.AllBut(own), own, plan_.ignore, program, finding) ||
      TakeDifferenceOf(rest, own, plan_.ignore, program, finding) ||
      TakeDifferenceOf(rest, own, OthersIn(ignored, *finding), program, finding) ||
      TakeDifferenceOf({}, own, OthersIn(ignored, *finding), program, finding) ||
      TakeDifferenceOf({}, own, finding->ignored, program, finding);
}

bool HuntPlaces::TakeDifferenceOf(const std::set<std::string>& wrong,
                                  const std::set<std::string>& own,
                                  const std::vector<std::string>& ignored, Program program,
                                  CheckFinding* finding) {
  std::set<std::string> right = wrong;
  right.insert(own.begin(), own.end());
  const Exchanges::Loaded* const with = exchanges_.With(wrong);
  const Exchanges::Loaded* const without = exchanges_.With(right);
  if ((with == nullptr && !wrong.empty()) || without == nullptr) return false;
  const Implementation& mistaken = With(wrong);
  {
    const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, mistaken, ignored);
    if (!FailsAlike(runner.get(), finding->Key(), &program)) return false;
    if (!AsChoices(runner.get(), &program)) return false;
  }
  const uint64_t size = CodeSize(plan_.implementation);
  const auto code_of = [&](const Implementation& implementation, uint64_t begin) {
    memory::Module module;
    memory::FindModule(reinterpret_cast<uintptr_t>(CodeOf(implementation)), &module);
    return CodeUnderTest{module.load_address + begin, size, module.begin, module.end};
  };
  const CodeUnderTest own_code =
      code_of(mistaken, with != nullptr ? with->code_begin : CodeBegin(plan_.implementation));
  const CodeUnderTest right_code = code_of(without->implementation, without->code_begin);
  // Processes that begin alike, one after the other: what they allocate has the same addresses.
  const auto in_process = [&](const Implementation& implementation,
                              const std::function<void(Runner*)>& body) {
    const pid_t process = fork();
    if (process == 0) {
      alarm(static_cast<unsigned>(kExchangeSecondsMax));
      const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, implementation, ignored);
      body(runner.get());
      _exit(0);
    }
    if (process > 0) waitpid(process, nullptr, 0);
  };
  board_->wrong.count = board_->right.count = board_->watched.count = 0;
  RunHuntChild(
      [&] {
        in_process(mistaken, [&](Runner* runner) {
          FindWatchedMemory(runner, program, own_code, &board_->watched);
        });
        in_process(without->implementation, [&](Runner* runner) {
          FindWatchedMemory(runner, program, right_code, &board_->watched);
        });
        in_process(mistaken, [&](Runner* runner) {
          RecordEffects(runner, program, own_code, board_->watched, &board_->wrong);
        });
        in_process(without->implementation, [&](Runner* runner) {
          RecordEffects(runner, program, right_code, board_->watched, &board_->right);
        });
      },
      3 * kExchangeSecondsMax);
  finding->differences = DifferencesOf(board_->wrong, board_->right);
  return !finding->differences.empty();
}

// Writes out the schedule of a program of several fibers: as choices it can be followed under
// another scheduler. False if the process is lost.
bool HuntPlaces::AsChoices(Runner* runner, Program* program) {
  if (program->fibers < 2 || program->schedule.kind == schedule::Kind::kChoices) return true;
  board_->program = *program;
  const bool ended = RunHuntChild(
      [&] {
        schedule::RunOptions options;
        options.record_choices = true;
        runner->Run(*program, options);
        board_->program.schedule = runner->output().schedule.executed;
      },
      kExchangeSecondsMax);
  *program = board_->program;
  return ended;
}

// Whether the program fails in this way. With several fibers its schedule may not fit other
// routines: then it is given one under which it does.
bool HuntPlaces::FailsAlike(Runner* runner, const std::string& key, Program* program) {
  board_->schedule_seed = -1;
  board_->gone = true;
  RunHuntChild(
      [&] {
        const auto fails = [&](const Program& one) {
          return !runner->Run(one) &&
                 FindingOf(runner->output().verdict, RoutineOf(*runner)).Key() == key;
        };
        if (fails(*program)) {
          board_->gone = false;
          return;
        }
        for (int i = 1; i <= kSchedules && program->fibers > 1; ++i) {
          if (!fails(WithRandomSchedule(*program, i))) continue;
          board_->schedule_seed = i;
          board_->gone = false;
          return;
        }
      },
      kExchangeSecondsMax);
  if (board_->gone) return false;
  if (board_->schedule_seed > 0) *program = WithRandomSchedule(*program, board_->schedule_seed);
  return true;
}

bool HuntPlaces::IsGoneWith(const std::set<std::string>& routines,
                            const std::vector<std::string>& ignored, const Program& program,
                            const std::string& key) {
  const std::string path = exchanges_.Link(routines);
  if (path.empty()) return false;
  board_->gone = false;
  RunHuntChild(
      [&] {
        Implementation implementation;
        std::string complaint;
        if (!LoadImplementation(path, &implementation, &complaint)) return;
        const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, implementation, ignored);
        board_->gone = IsGone(runner.get(), program, key);
      },
      kExchangeSecondsMax);
  return board_->gone;
}

// Those of the routines whose code ran; all, where that cannot be seen.
std::vector<std::string> HuntPlaces::RoutinesRun(const std::set<std::string>& base,
                                                 const std::vector<std::string>& ignored,
                                                 const Program& program) {
  const std::vector<std::string>& all = exchanges_.routines();
  if (!TracedCode::kBuilt || all.size() > HuntBoard::kRoutinesMax) return all;
  const Implementation& implementation = With(base);
  const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, implementation, ignored);
  std::fill_n(board_->ran, HuntBoard::kRoutinesMax, false);
  RunHuntChild(
      [&] {
        TracedCode::Clear();
        runner->Run(program);
        for (const uintptr_t block : TracedCode::Blocks()) {
          Dl_info info;
          const auto* const address =
              reinterpret_cast<const void*>(TracedCode::AddressOf(block) - 1);  // NOLINT
          if (dladdr(address, &info) == 0 || info.dli_sname == nullptr) continue;
          const auto at = std::find(all.begin(), all.end(), info.dli_sname);
          if (at != all.end()) board_->ran[at - all.begin()] = true;
        }
      },
      kExchangeSecondsMax);
  std::vector<std::string> routines;
  for (size_t i = 0; i < all.size(); ++i) {
    if (board_->ran[i]) routines.push_back(all[i]);
  }
  return routines.empty() ? all : routines;
}

void HuntPlaces::TakeExchanges(const std::set<std::string>& base,
                               const std::vector<std::string>& ignored, const Program& program,
                               CheckFinding* finding) {
  const std::string key = finding->Key();
  for (const std::string& routine : RoutinesRun(base, ignored, program)) {
    if (base.count(routine) != 0 || hung_.count(routine) != 0) continue;
    std::set<std::string> routines = base;
    routines.insert(routine);
    const double begin = SecondsNow();
    if (IsGoneWith(routines, ignored, program, key)) {
      finding->vanishes_without.push_back(routine);
    } else if (SecondsNow() - begin >= kExchangeSecondsMax) {
      // A routine that does not get on with the others may hang in every program.
      hung_.insert(routine);
    }
  }
  if (finding->vanishes_without.empty()) {
    finding->vanishes_without = TakeTogether(base, ignored, program, key);
  }
}

// As few routines as make it go away together, if two are enough: "A+B".
std::vector<std::string> HuntPlaces::TakeTogether(const std::set<std::string>& base,
                                                  const std::vector<std::string>& ignored,
                                                  const Program& program, const std::string& key) {
  constexpr size_t kTogetherMax = 2;
  std::set<std::string> needed = exchanges_.AllBut(hung_);
  if (needed.empty() || !IsGoneWith(needed, ignored, program, key)) return {};
  for (const std::string& routine : exchanges_.routines()) {
    if (base.count(routine) != 0) continue;
    std::set<std::string> fewer = needed;
    fewer.erase(routine);
    if (IsGoneWith(fewer, ignored, program, key)) needed = std::move(fewer);
  }
  for (const std::string& routine : base) needed.erase(routine);
  if (needed.empty() || needed.size() > kTogetherMax) return {};
  return {absl::StrJoin(needed, "+")};
}

// Whether the failure is gone: the program passes, or fails as the implementation does
// without the exchange. With one fiber: once. What a schedule says does not fit another
// routine, so that others are tried as well where there are several.
bool HuntPlaces::IsGone(Runner* runner, const Program& program, const std::string& key) const {
  const auto gone = [&](const Program& one) {
    if (runner->Run(one)) return true;
    const std::string other = FindingOf(runner->output().verdict, RoutineOf(*runner)).Key();
    return other != key && known_.Has(other);
  };
  if (!gone(program)) return false;
  if (program.fibers == 1) return true;
  for (int i = 1; i <= kSchedules; ++i) {
    if (!gone(WithRandomSchedule(program, i))) return false;
  }
  return true;
}

}  // namespace cancelsafe
