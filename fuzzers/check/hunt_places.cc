// See hunt_places.h.
#include "fuzzers/check/hunt_places.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "base/process.h"
#include "fuzzers/check/call_site.h"
#include "fuzzers/check/causes.h"
#include "fuzzers/check/hunt_runs.h"
#include "fuzzers/check/suspects.h"
#include "fuzzers/check/traced_code.h"

namespace cancelsafe {
namespace {

constexpr int kSuspectRuns = 1500;
constexpr double kExchangeSecondsMax = 5;  // for all routines, with one failure

SourceLine LineAt(uintptr_t address) {
  if (address == 0) return SourceLine();
  SourceLine line = ParseSourceLine(memory::DescribeSite(static_cast<uint32_t>(address)));
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

}  // namespace

HuntPlaces::HuntPlaces(const HuntPlan& plan, const Implementation& implementation,
                       const Known& known, HuntBoard* board)
    : plan_(plan), implementation_(implementation), known_(known), board_(board) {
  memory::FindModule(reinterpret_cast<uintptr_t>(AnyRoutine(implementation)), &module_);
}

void HuntPlaces::FindLines(Runner* runner, const Program& program, CheckFinding* finding) {
  if (finding->verdict.kind == VerdictKind::kDataRace) {
    finding->lines = LinesOfRace(finding->verdict.reason);
    finding->seen_there = true;
    return;
  }
  board_->site = CallSite();
  const void* const inside = AnyRoutine(implementation_);
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

void HuntPlaces::TakeSpectrum(const std::vector<std::string>& ignored, const Program& program,
                              CheckFinding* finding) const {
  std::vector<std::string> others;
  for (const std::string& entry : ignored) {
    if (entry != finding->verdict.clause && entry != finding->verdict.rule) {
      others.push_back(entry);
    }
  }
  const std::unique_ptr<Runner> runner = NewHuntRunner(plan_, implementation_, others);
  const std::string key = finding->Key();
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
  if (board_->failing == 0) return;
  Spectrum& spectrum = finding->spectrum;
  spectrum.failing = board_->failing;
  spectrum.passing = board_->passing;
  for (int i = 0; i < board_->traced_count; ++i) {
    const HuntBoard::Traced& one = board_->traced[i];
    // The hook's call returns there; what was called lies before it.
    const uint64_t place = TracedCode::AddressOf(one.block) - 1 - module_.load_address;
    spectrum.counts[place * 4 + TracedCode::HappenedAt(one.block)] = {
        static_cast<int>(one.failing), static_cast<int>(one.passing), one.in_call};
  }
}

void HuntPlaces::TakeExchanges(const Program& program, CheckFinding* finding) {
  if (!exchanges_loaded_) LoadExchanges();
  exchanges_loaded_ = true;
  board_->exchanges = 0;
  std::fill_n(board_->gone, HuntBoard::kExchangesMax, false);
  const int count = static_cast<int>(exchanges_.size());
  const std::string key = finding->Key();
  // A routine that does not get on with the others may hang in every program.
  std::vector<std::string> hung;
  while (board_->exchanges < count) {
    const double end = SecondsNow() + kExchangeSecondsMax;
    const bool ended = RunHuntChild(
        [&] {
          while (board_->exchanges < count) {
            const int at = board_->exchanges++;
            const std::unique_ptr<Runner> runner =
                NewHuntRunner(plan_, exchanges_[at].second, finding->ignored);
            board_->gone[at] = IsGone(runner.get(), program, key);
          }
        },
        kExchangeSecondsMax);
    if (!ended && SecondsNow() >= end) hung.push_back(exchanges_[board_->exchanges - 1].first);
  }
  for (int i = 0; i < count; ++i) {
    if (board_->gone[i]) finding->vanishes_without.push_back(exchanges_[i].first);
  }
  exchanges_.erase(std::remove_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const std::pair<std::string, Implementation>& exchange) {
                                    return std::find(hung.begin(), hung.end(), exchange.first) !=
                                           hung.end();
                                  }),
                   exchanges_.end());
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
  constexpr int kSchedules = 60;
  Program other = program;
  other.schedule = schedule::Schedule();
  other.schedule.kind = schedule::Kind::kRandom;
  for (int i = 0; i < kSchedules; ++i) {
    other.schedule.seed = static_cast<uint64_t>(i) + 1;
    if (!gone(other)) return false;
  }
  return true;
}

void HuntPlaces::LoadExchanges() {
  for (const auto& [routine, path] : plan_.exchanged) {
    Implementation exchanged;
    std::string error;
    if (exchanges_.size() < HuntBoard::kExchangesMax &&
        LoadImplementation(path, &exchanged, &error)) {
      exchanges_.emplace_back(routine, exchanged);
    }
  }
}

}  // namespace cancelsafe
