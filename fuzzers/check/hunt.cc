// See hunt.h.
#include "fuzzers/check/hunt.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/process.h"
#include "fuzzers/check/hunt_places.h"
#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/hunt_runs.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/check/traced_code.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/program/text.h"
#include "fuzzers/tools/judge.h"
#include "fuzzers/tools/minimize_failure.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr int kFindingsMax = 60;  // of one round
// A clause that is broken in one program of so many hides what happens in fewer.
constexpr int64_t kHidingShare = 20;

// Where in the verdict's line the routine stands: see Judge::set_place.
constexpr char kRoutineMark[] = "\nin ";

std::vector<Program> ReadSeeds(const std::string& folder, Family family) {
  std::vector<Program> seeds;
  if (folder.empty()) return seeds;
  for (const std::string& path : FilesIn(folder)) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) continue;
    absl::StatusOr<Program> program = ParseProgram(*text);
    if (program.ok() && program->setup.family == family) seeds.push_back(*std::move(program));
  }
  return seeds;
}

class Hunter {
 public:
  Hunter(const HuntPlan& plan, const Implementation& implementation,
         const std::function<void(const CheckFinding&)>& found)
      : plan_(plan),
        implementation_(implementation),
        found_(found),
        family_(*FindFamily(plan.family)),
        seeds_(ReadSeeds(plan.seeds, family_)),
        board_(NewHuntBoard()),
        end_(SecondsNow() + plan.seconds),
        places_(plan, implementation, known_, board_) {
    for (const std::string& entry : plan.known) known_.Add(entry);
  }

  HuntCounts Run() {
    std::vector<std::string> ignored = plan_.ignore;
    for (int round = 0; round < plan_.rounds && SecondsNow() < end_; ++round) {
      const std::vector<std::string> hiding = RunRound(round, ignored);
      // An implementation that is right has been looked at enough.
      if (findings_.empty()) break;
      ignored.insert(ignored.end(), hiding.begin(), hiding.end());
    }
    if (TracedCode::kBuilt) {
      for (Found& one : findings_) {
        if (one.finding.verdict.kind == VerdictKind::kDataRace) continue;
        places_.TakeSpectrum(ignored, one.program, &one.finding);
        places_.TakeExchanges(one.program, &one.finding);
        found_(one.finding);
      }
    }
    counts_.runs = board_->runs;
    counts_.unknown = board_->unknown;
    return counts_;
  }

 private:
  struct Found {
    CheckFinding finding;
    Program program;
  };

  std::unique_ptr<Runner> NewRunner(const std::vector<std::string>& ignored) const {
    return NewHuntRunner(plan_, implementation_, ignored);
  }

  // Returns what the next round leaves out.
  std::vector<std::string> RunRound(int round, const std::vector<std::string>& ignored) {
    const std::unique_ptr<Runner> runner = NewRunner(ignored);
    const std::unique_ptr<Runner> strict = ignored.empty() ? nullptr : NewRunner(plan_.ignore);
    std::set<std::string> broken;
    board_->next = 0;
    board_->done = false;
    std::fill_n(board_->broken, HuntBoard::kClauses, 0);
    int findings = 0, deaths = 0;
    // The first round has half of the time: an implementation that is right has no others.
    round_end_ = SecondsNow() + (end_ - SecondsNow()) / (round + 1 == plan_.rounds ? 1 : 2);
    while (!board_->done && SecondsNow() < round_end_ && findings < kFindingsMax &&
           deaths < kHuntDeathsMax) {
      board_->found = false;
      const int64_t before = board_->next;
      const bool died = !RunHuntChild([&] { Scout(runner.get(), round); }, kHuntChildSecondsMax);
      counts_.programs += board_->next - before;
      if (!died && !board_->found) continue;
      deaths += died ? 1 : 0;
      CheckFinding finding;
      if (!Explain(runner.get(), strict.get(), ignored, &finding)) continue;
      ++findings;
      found_(finding);
      findings_.push_back({finding, shortest_});
      if (CanBeLeftOut(finding.verdict)) {
        broken.insert(ClauseOf(finding.verdict));
      }
    }
    std::vector<std::string> hiding;
    for (const std::string& clause : broken) {
      if (board_->broken[SlotOf(clause)] >= static_cast<uint32_t>(board_->next / kHidingShare)) {
        hiding.push_back(clause);
      }
    }
    return hiding;
  }

  static const std::string& ClauseOf(const Verdict& verdict) {
    return verdict.clause.empty() ? verdict.rule : verdict.clause;
  }

  static size_t SlotOf(const std::string& clause) {
    return std::hash<std::string>()(clause) % HuntBoard::kClauses;
  }

  // What would leave out half of all there is stays in: races, losses, crashes.
  static bool CanBeLeftOut(const Verdict& verdict) {
    return verdict.kind == VerdictKind::kRule || verdict.kind == VerdictKind::kCallbackOrder ||
           verdict.kind == VerdictKind::kNotLinearizable ||
           verdict.kind == VerdictKind::kKernelViolation;
  }

  // In the child: runs programs until one fails in a way that is not known.
  void Scout(Runner* runner, int round) {
    // So that a child whose programs are all right comes back in time.
    constexpr double kSliceSeconds = kHuntChildSecondsMax / 3;
    const double end = std::min(round_end_, SecondsNow() + kSliceSeconds);
    uint32_t states = 0, blocks = 0;
    Program& program = board_->program;
    const uint64_t seed = plan_.seed + static_cast<uint64_t>(round) * 1000003;
    while (board_->next < plan_.programs) {
      if ((board_->next & 15) == 0 && SecondsNow() > end) return;
      MakeHuntProgram(family_, seed, board_->next++, seeds_, *board_, &program);
      bool fresh = false;
      const bool passed = ForEachSchedule(&program, [&](int) {
        ++board_->runs;
        const bool ok = runner->Run(program);
        fresh |= runner->checker().states_covered() > states || TracedCode::SeenEver() > blocks;
        states = runner->checker().states_covered();
        blocks = TracedCode::SeenEver();
        if (ok) return true;
        const Verdict& verdict = runner->output().verdict;
        if (verdict.kind == VerdictKind::kUnknown) {
          ++board_->unknown;
          return true;
        }
        ++board_->broken[SlotOf(ClauseOf(verdict))];
        board_->found = !known_.Explains(FindingOf(verdict, RoutineOf(*runner)).Key(), program);
        return false;
      });
      if (fresh) KeepProgram(program, board_);
      if (!passed && board_->found) return;
    }
    board_->done = true;
  }

  // Makes the board's failing program small and says what is known of it. False if it is
  // known already, or does not fail again.
  bool Explain(Runner* runner, Runner* strict, const std::vector<std::string>& ignored,
               CheckFinding* finding) {
    Judge judge(runner);
    judge.set_place([](const Runner& ran) { return kRoutineMark + RoutineOf(ran); });
    const Program program = board_->program;
    FailureIdentity identity = judge.Run(program);
    if (!identity.failed()) return false;
    const std::string key = KeyOf(judge, identity);
    if (known_.Explains(key, program)) return false;
    const Program shortest = Shortest(&judge, identity, program);
    identity = judge.Run(shortest);
    *finding = FindingOf(judge.verdict(), RoutineOfIdentity(identity));
    known_.Add(finding->Key(), ReachOf(shortest));
    // What minimising could not keep is not met again either.
    if (finding->Key() != key) known_.Add(key, ReachOf(program));
    finding->variant = plan_.variant;
    finding->family = plan_.family;
    finding->program = PrintProgram(shortest);
    finding->operations = shortest.operation_count;
    finding->fibers = shortest.fibers;
    finding->unconfirmed = !identity.failed();
    finding->ignored = ignored;
    if (strict != nullptr) {
      Judge plain(strict);
      plain.set_place([](const Runner& ran) { return kRoutineMark + RoutineOf(ran); });
      if (plain.Run(shortest).SameAs(identity)) finding->ignored = plan_.ignore;
    }
    places_.FindLines(runner, shortest, finding);
    shortest_ = shortest;
    return true;
  }

  static Program Shortest(Judge* judge, const FailureIdentity& identity, const Program& program) {
    if (strcmp(identity.rule, RuleInfo(Rule::kTimeOut).name) != 0) {
      const MinimizedFailure small = MinimizeFailure(judge, program, nullptr);
      return small.identity.failed() ? small.program : program;
    }
    // Each attempt takes as long as it takes to see that a run hangs.
    constexpr int kAttemptsMax = 60;
    MinimizeOptions options;
    options.attempts_max = kAttemptsMax;
    return MinimizeProgram(
        program, [&](const Program& candidate) { return judge->Run(candidate).SameAs(identity); },
        nullptr, options);
  }

  static std::string RoutineOfIdentity(const FailureIdentity& identity) {
    const absl::string_view where = identity.where;
    const size_t mark = where.find(kRoutineMark);
    return mark == absl::string_view::npos
               ? ""
               : std::string(where.substr(mark + sizeof kRoutineMark - 1));
  }

  static std::string KeyOf(const Judge& judge, const FailureIdentity& identity) {
    return FindingOf(judge.verdict(), RoutineOfIdentity(identity)).Key();
  }

  const HuntPlan& plan_;
  const Implementation& implementation_;
  const std::function<void(const CheckFinding&)>& found_;
  const Family family_;
  const std::vector<Program> seeds_;
  HuntBoard* const board_;
  const double end_;
  double round_end_ = 0;
  Known known_;
  HuntPlaces places_;
  std::vector<Found> findings_;
  Program shortest_;  // of the last finding
  HuntCounts counts_;
};

}  // namespace

HuntCounts Hunt(const HuntPlan& plan, const Implementation& implementation,
                const std::function<void(const CheckFinding&)>& found) {
  return Hunter(plan, implementation, found).Run();
}

}  // namespace cancelsafe
