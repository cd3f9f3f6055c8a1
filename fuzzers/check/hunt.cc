// See hunt.h.
#include "fuzzers/check/hunt.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "base/process.h"
#include "fuzzers/check/hunt_places.h"
#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/hunt_runs.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/check/suspects.h"
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
// So many findings after another that go back to routines that are known have said enough.
constexpr int kStaleMax = 8;
// So many rules, at most, are left out to show what happens behind them.
constexpr size_t kLeftOutMax = 8;
// The memory engine watches a dozen shared objects, and each such round needs one.
constexpr int kRoundsOfRoutinesMax = 5;
// Of a part's time without a finding, what all rounds may take, and those of routines besides.
constexpr double kRoundsShare = 1.5;
constexpr double kRoutinesShare = kHuntShareMax - kRoundsShare;
// So many other schedules are tried for that.
constexpr int kSchedules = 40;

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
        clean_end_(SecondsNow() + plan.seconds),
        end_(SecondsNow() + kRoundsShare * plan.seconds),
        places_(plan, implementation, seen_, board_) {
    for (const std::string& entry : plan.known) {
      known_.Add(entry);
      unexchanged_.Add(entry);
    }
  }

  HuntCounts Run() {
    std::vector<std::string> known;
    for (const auto& [routine, clauses] : plan_.guilty) known.push_back(routine);
    std::set<std::string> guilty = places_.Exchangeable(known);
    std::vector<std::string> ignored = plan_.ignore;
    for (int round = 0; round < plan_.rounds && SecondsNow() < end_; ++round) {
      const size_t first = findings_.size();
      const std::vector<std::string> hiding = RunRound(round, guilty, ignored);
      // An implementation that is right has been looked at enough.
      if (findings_.empty()) break;
      const size_t before = guilty.size();
      for (size_t i = first; i < findings_.size(); ++i) {
        guilty.merge(RoutinesIn(findings_[i].finding.vanishes_without));
      }
      if (guilty.size() > before) {
        // What was exchanged does not hide anything, and is not found again.
        known_ = unexchanged_;
      } else {
        ignored.insert(ignored.end(), hiding.begin(), hiding.end());
      }
    }
    RunRoundsOfRoutines(guilty);
    if (TracedCode::kBuilt) {
      for (Found& one : findings_) {
        if (one.finding.verdict.kind == VerdictKind::kDataRace) continue;
        places_.TakeDifference(guilty, ignored, one.program, &one.finding);
        places_.TakeSpectrum(guilty, ignored, one.program, &one.finding);
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

  std::unique_ptr<Runner> NewRunner(const Implementation& implementation,
                                    const std::vector<std::string>& ignored) const {
    return NewHuntRunner(plan_, implementation, ignored);
  }

  // One more round for each routine with a mistake, which may have a second one: with the other
  // ones exchanged, and without the clauses that it is known to break. Those that were found
  // elsewhere have had theirs, except for what this build alone sees.
  void RunRoundsOfRoutines(const std::set<std::string>& guilty) {
    std::map<std::string, std::set<std::string>> broken;
    for (const auto& [routine, clauses] : plan_.guilty) {
      if (!TracedCode::kBuilt && guilty.count(routine) != 0) {
        broken[routine].insert(clauses.begin(), clauses.end());
      }
    }
    for (const Found& one : findings_) {
      for (const std::string& routine : RoutinesIn(one.finding.vanishes_without)) {
        broken[routine].insert(LeftOutBy(one.finding.verdict));
      }
    }
    const double share =
        kRoutinesShare * plan_.seconds / static_cast<double>(std::max<size_t>(1, broken.size()));
    int round = plan_.rounds;
    for (auto& [routine, clauses] : broken) {
      if (!TracedCode::kBuilt && round == plan_.rounds + kRoundsOfRoutinesMax) break;
      std::set<std::string> others = guilty;
      others.erase(routine);
      clauses.erase("");
      std::vector<std::string> ignored = plan_.ignore;
      ignored.insert(ignored.end(), clauses.begin(), clauses.end());
      end_ = SecondsNow() + share;
      known_ = seen_;
      for (const std::string& entry : plan_.known) known_.Add(entry);
      RunRound(round++, others, ignored);
    }
  }

  // With the routines of `guilty` exchanged and the rules of `ignored` left out. Returns what
  // might be left out next.
  std::vector<std::string> RunRound(int round, const std::set<std::string>& guilty,
                                    const std::vector<std::string>& ignored) {
    const std::unique_ptr<Runner> runner = NewRunner(places_.With(guilty), ignored);
    std::set<std::string> broken;
    board_->next = 0;
    board_->done = false;
    std::fill_n(board_->broken, HuntBoard::kClauses, 0);
    int findings = 0, deaths = 0, stale = 0;
    std::set<std::string> routines;
    // The first round has half of the time: an implementation that is right has no others.
    round_end_ = SecondsNow() + (end_ - SecondsNow()) / (round + 1 >= plan_.rounds ? 1 : 2);
    round_middle_ = round >= plan_.rounds ? round_end_ : (SecondsNow() + round_end_) / 2;
    while (!board_->done && SecondsNow() < RoundEnd() && findings < kFindingsMax &&
           stale < kStaleMax && deaths < kHuntDeathsMax) {
      board_->found = false;
      const int64_t before = board_->next;
      const bool died = !RunHuntChild([&] { Scout(runner.get(), round); }, kHuntChildSecondsMax);
      counts_.programs += board_->next - before;
      if (!died && !board_->found) continue;
      deaths += died ? 1 : 0;
      CheckFinding finding;
      switch (Explain(runner.get(), guilty, ignored, &finding)) {
        case Explained::kFresh:
          break;
        case Explained::kNotAgain:
          // With routines exchanged it may be the mixture that is to blame.
          counts_.unconfirmed += guilty.empty() ? 1 : 0;
          continue;
        case Explained::kLeftOut:
          continue;
      }
      ++findings;
      const size_t seen = routines.size();
      routines.merge(RoutinesIn(finding.vanishes_without));
      stale = finding.vanishes_without.empty() || routines.size() > seen ? 0 : stale + 1;
      found_(finding);
      if (!LeftOutBy(finding.verdict).empty()) broken.insert(LeftOutBy(finding.verdict));
      findings_.push_back({std::move(finding), shortest_});
    }
    if (!findings_.empty() && !board_->done && SecondsNow() >= round_end_) ++counts_.cut_rounds;
    std::vector<std::string> hiding;
    for (const std::string& clause : broken) {
      if (board_->broken[SlotOf(clause)] >= static_cast<uint32_t>(board_->next / kHidingShare)) {
        hiding.push_back(clause);
      }
    }
    return hiding;
  }

  // Whether an implementation without a finding is looked at further than `programs`.
  bool GoesOn() const { return plan_.goes_on && findings_.empty(); }
  double RoundEnd() const { return GoesOn() ? clean_end_ : round_end_; }

  static size_t SlotOf(const std::string& clause) {
    return HashText32(clause) % HuntBoard::kClauses;
  }

  // In the child: runs programs until one fails in a way that is not known.
  void Scout(Runner* runner, int round) {
    // So that a child whose programs are all right comes back in time.
    constexpr double kSliceSeconds = kHuntChildSecondsMax / 3;
    const double end = std::min(RoundEnd(), SecondsNow() + kSliceSeconds);
    uint32_t states = 0, blocks = 0;
    Program& program = board_->program;
    const uint64_t seed = plan_.seed + static_cast<uint64_t>(round) * 1000003;
    while (board_->next < plan_.programs || GoesOn()) {
      if ((board_->next & 15) == 0 && SecondsNow() > end) return;
      // Where much is wrong, long programs fail in ways that take long to make small.
      const bool few = round >= plan_.rounds || board_->next < plan_.programs / 2;
      MakeHuntProgram(family_, seed, board_->next++, seeds_, *board_,
                      few && SecondsNow() < round_middle_, &program);
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
        ++board_->broken[SlotOf(LeftOutBy(verdict))];
        board_->found = !known_.Explains(FindingOf(verdict, RoutineOf(*runner)).Key(), program);
        return false;
      });
      if (fresh) KeepProgram(program, board_);
      if (!passed && board_->found) return;
    }
    board_->done = true;
  }

  enum class Explained {
    kFresh,
    kNotAgain,  // it does not fail when it is run alone
    kLeftOut,   // it is known already, or no routine is to blame
  };

  // Makes the board's failing program small and says what is known of it.
  Explained Explain(Runner* runner, const std::set<std::string>& guilty,
                    const std::vector<std::string>& ignored, CheckFinding* finding) {
    Judge judge(runner);
    TellRoutine(&judge);
    const Program program = board_->program;
    FailureIdentity identity = judge.Run(program);
    if (!identity.failed()) return Explained::kNotAgain;
    const std::string key = KeyOf(judge, identity);
    if (known_.Explains(key, program)) return Explained::kLeftOut;
    Program shortest = Shortest(&judge, identity, program);
    identity = judge.Run(shortest);
    *finding = FindingOf(judge.verdict(), RoutineOfIdentity(identity));
    known_.Add(finding->Key(), ReachOf(shortest));
    // What minimising could not keep is not met again either.
    if (finding->Key() != key) known_.Add(key, ReachOf(program));
    seen_.Add(finding->Key(), "");
    places_.TakeExchanges(guilty, ignored, shortest, finding);
    finding->unconfirmed = !identity.failed();
    finding->ignored = ignored;
    const bool died = finding->verdict.kind == VerdictKind::kCrash && finding->unconfirmed;
    if (died) return Explained::kNotAgain;
    const Implementation* shown_in = &implementation_;
    if (!ShowAsItIs(&shortest, finding) && !guilty.empty()) {
      // Where no routine is to blame, those exchanged may not get on with the rest.
      if (finding->vanishes_without.empty()) return Explained::kLeftOut;
      finding->behind.assign(guilty.begin(), guilty.end());
      finding->shown_in = places_.PathWith(guilty);
      shown_in = &places_.With(guilty);
    }
    if (finding->vanishes_without.empty()) unexchanged_.Add(finding->Key(), ReachOf(shortest));
    finding->variant = plan_.variant;
    finding->family = plan_.family;
    finding->program = PrintProgram(shortest);
    finding->operations = shortest.operation_count;
    finding->fibers = shortest.fibers;
    const std::unique_ptr<Runner> shown = NewRunner(*shown_in, finding->ignored);
    places_.FindLines(shown.get(), *shown_in, shortest, finding);
    shortest_ = shortest;
    return Explained::kFresh;
  }

  // Verdicts name the routine that they were seen in.
  static void TellRoutine(Judge* judge) {
    judge->set_place([](const Runner& ran) { return kRoutineMark + RoutineOf(ran); });
  }

  // Whether a run's verdict is the finding's. Of a race one place is enough, since the other
  // may be in what was exchanged.
  static bool IsAlike(const CheckFinding& finding, const Verdict& verdict,
                      const std::string& routine) {
    if (finding.verdict.kind != VerdictKind::kDataRace) {
      return FindingOf(verdict, routine).Key() == finding.Key();
    }
    if (verdict.kind != VerdictKind::kDataRace) return false;
    const std::vector<SourceLine> places = LinesOfRace(verdict.reason);
    for (const SourceLine& line : LinesOfRace(finding.verdict.reason)) {
      for (const SourceLine& place : places) {
        if (line.file == place.file && line.line == place.line) return true;
      }
    }
    return false;
  }

  // Whether the program fails in this way without anything exchanged, perhaps with another
  // schedule; sets what has to be left out for that, if that is less.
  bool ShowAsItIs(Program* program, CheckFinding* finding) const {
    std::vector<std::string> ignored = plan_.ignore;
    while (ignored.size() <= plan_.ignore.size() + kLeftOutMax) {
      const std::unique_ptr<Runner> runner = NewRunner(implementation_, ignored);
      Judge judge(runner.get());
      TellRoutine(&judge);
      Verdict verdict;
      const auto shows = [&](const Program& one) {
        const FailureIdentity identity = judge.Run(one);
        verdict = judge.verdict();
        return identity.failed() && IsAlike(*finding, verdict, RoutineOfIdentity(identity));
      };
      bool shown = shows(*program);
      const std::string clause = shown || verdict.ok() ? "" : LeftOutBy(verdict);
      for (int i = 1; i <= kSchedules && !shown && clause.empty() && program->fibers > 1; ++i) {
        const Program other = WithRandomSchedule(*program, i);
        shown = shows(other);
        if (!shown) continue;
        const MinimizedFailure small = MinimizeFailure(&judge, other, nullptr);
        *program = small.program;
        if (!shows(*program)) {  // made small, it may be told otherwise
          *program = other;
          shows(other);
        }
      }
      if (shown) {
        finding->ignored = ignored;
        if (verdict.kind == VerdictKind::kDataRace) finding->verdict.reason = verdict.reason;
        return true;
      }
      if (clause.empty()) return false;
      ignored.push_back(clause);
    }
    return false;
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
  const double clean_end_;
  double end_;
  double round_middle_ = 0;
  double round_end_ = 0;
  Known known_;        // what need not be found again
  Known seen_;         // all that was found
  Known unexchanged_;  // that does not vanish with any routine
  HuntPlaces places_;
  std::vector<Found> findings_;
  Program shortest_;  // of the last finding
  HuntCounts counts_;
};

}  // namespace

std::string LeftOutBy(const Verdict& verdict) {
  switch (verdict.kind) {
    case VerdictKind::kRule:
    case VerdictKind::kCallbackOrder:
    case VerdictKind::kNotLinearizable:
    case VerdictKind::kKernelViolation:
      return verdict.clause.empty() ? verdict.rule : verdict.clause;
    default:
      return "";
  }
}

HuntCounts Hunt(const HuntPlan& plan, const Implementation& implementation,
                const std::function<void(const CheckFinding&)>& found) {
  return Hunter(plan, implementation, found).Run();
}

}  // namespace cancelsafe
