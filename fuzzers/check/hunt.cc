// See hunt.h.
#include "fuzzers/check/hunt.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/check/call_site.h"
#include "fuzzers/check/causes.h"
#include "fuzzers/check/hunt_programs.h"
#include "fuzzers/check/reach.h"
#include "fuzzers/check/suspects.h"
#include "fuzzers/check/traced_code.h"
#include "fuzzers/memory/modules.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/judge.h"
#include "fuzzers/tools/minimize_failure.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr int kFindingsMax = 60;  // of one round
// An implementation that takes its process down in every run would do nothing else.
constexpr int kDeathsMax = 60;
// One that hangs without a preemption point is killed, and its program is a finding.
constexpr double kChildSecondsMax = 30;
constexpr int kSuspectRuns = 1500;
constexpr double kExchangeSecondsMax = 5;  // for all routines, with one failure
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

const void* AnyRoutine(const Implementation& implementation) {
  const void* any = nullptr;
#define CANCELSAFE_TAKE_ENTRY(type, name, parameters) \
  if (implementation.name != nullptr) any = reinterpret_cast<const void*>(implementation.name);
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_TAKE_ENTRY)
#undef CANCELSAFE_TAKE_ENTRY
  return any;
}

CheckFinding FindingOf(const Verdict& verdict, const std::string& routine) {
  CheckFinding finding;
  finding.verdict = verdict;
  // A process that is lost says its kind and rule alone.
  Verdict complete;
  if (verdict.severity == Severity::kNone && ParseVerdictLine(VerdictLine(verdict), &complete)) {
    finding.verdict.severity = complete.severity;
  }
  finding.routine = routine;
  return finding;
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
        end_(SecondsNow() + plan.seconds) {
    for (const std::string& entry : plan.known) known_.Add(entry);
    memory::FindModule(reinterpret_cast<uintptr_t>(AnyRoutine(implementation)), &module_);
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
        TakeSpectrum(ignored, &one);
        TakeExchanges(&one);
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
    return NewRunner(ignored, implementation_);
  }

  std::unique_ptr<Runner> NewRunner(const std::vector<std::string>& ignored,
                                    const Implementation& implementation) const {
    RunnerOptions options;
    options.access_points = plan_.access_points;
    options.reading = plan_.strict ? Reading::kOwn : Reading::kPortable;
    for (const std::string& entry : ignored) options.ignore.Add(entry);
    const char* missing = nullptr;
    auto runner = std::make_unique<Runner>(family_, implementation, options, &missing);
    if (missing != nullptr) {
      throw SetupError(absl::StrCat("the implementation does not provide ", missing));
    }
    return runner;
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
           deaths < kDeathsMax) {
      board_->found = false;
      const int64_t before = board_->next;
      const bool died = !RunChild([&] { Scout(runner.get(), round); }, kChildSecondsMax);
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

  // False if the child did not come to its end.
  static bool RunChild(const std::function<void()>& body, double seconds) {
    absl::StatusOr<std::unique_ptr<Process>> child = Process::Fork([&] {
      SilenceCrashReports();
      const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
      if (null >= 0) dup2(null, STDERR_FILENO);
      if (null >= 0) dup2(null, STDOUT_FILENO);
      body();
      return 0;
    });
    if (!child.ok()) throw SetupError(std::string(child.status().message()));
    const ChildEnd end = WaitFor(child->get(), seconds, [](absl::string_view) {});
    return end.status.clean() && !end.timed_out;
  }

  // In the child: runs programs until one fails in a way that is not known.
  void Scout(Runner* runner, int round) {
    // So that a child whose programs are all right comes back in time.
    constexpr double kSliceSeconds = kChildSecondsMax / 3;
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
    FindLines(runner, shortest, finding);
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

  void FindLines(Runner* runner, const Program& program, CheckFinding* finding) {
    if (finding->verdict.kind == VerdictKind::kDataRace) {
      finding->lines = LinesOfRace(finding->verdict.reason);
      finding->seen_there = true;
      return;
    }
    board_->site = CallSite();
    const void* const inside = AnyRoutine(implementation_);
    RunChild([&] { board_->site = FindCallSite(runner, program, inside); }, 5);
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

  // Runs the program with each routine exchanged.
  void TakeExchanges(Found* one) {
    if (!exchanges_loaded_) LoadExchanges();
    exchanges_loaded_ = true;
    board_->exchanges = 0;
    std::fill_n(board_->gone, HuntBoard::kExchangesMax, false);
    const int count = static_cast<int>(exchanges_.size());
    const std::string key = one->finding.Key();
    // A routine that does not get on with the others may hang in every program.
    std::vector<std::string> hung;
    while (board_->exchanges < count) {
      const double end = SecondsNow() + kExchangeSecondsMax;
      const bool ended = RunChild(
          [&] {
            while (board_->exchanges < count) {
              const int at = board_->exchanges++;
              const std::unique_ptr<Runner> runner =
                  NewRunner(one->finding.ignored, exchanges_[at].second);
              board_->gone[at] = IsGone(runner.get(), one->program, key);
            }
          },
          kExchangeSecondsMax);
      if (!ended && SecondsNow() >= end) hung.push_back(exchanges_[board_->exchanges - 1].first);
    }
    for (int i = 0; i < count; ++i) {
      if (board_->gone[i]) one->finding.vanishes_without.push_back(exchanges_[i].first);
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
  bool IsGone(Runner* runner, const Program& program, const std::string& key) const {
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

  void LoadExchanges() {
    for (const auto& [routine, path] : plan_.exchanged) {
      Implementation exchanged;
      std::string error;
      if (exchanges_.size() < HuntBoard::kExchangesMax &&
          LoadImplementation(path, &exchanged, &error)) {
        exchanges_.emplace_back(routine, exchanged);
      }
    }
  }

  // What other rules are broken in many programs is left out: it would say nothing of where
  // this failure comes from, and leave no program that passes.
  void TakeSpectrum(const std::vector<std::string>& ignored, Found* one) const {
    CheckFinding* const finding = &one->finding;
    std::vector<std::string> others;
    for (const std::string& entry : ignored) {
      if (entry != finding->verdict.clause && entry != finding->verdict.rule) {
        others.push_back(entry);
      }
    }
    const std::unique_ptr<Runner> runner = NewRunner(others);
    const std::string key = finding->Key();
    const std::string reach = ReachOf(one->program);
    const auto same = [&](const Program& other) {
      return FindingOf(runner->output().verdict, RoutineOf(*runner)).Key() == key &&
             Reaches(ReachOf(other), reach);
    };
    board_->neighbours = board_->failing = board_->passing = board_->traced_count = 0;
    for (int deaths = 0; deaths < kDeathsMax; ++deaths) {
      const bool ended = RunChild(
          [&] { FindSuspects(runner.get(), one->program, plan_.seed, kSuspectRuns, same, board_); },
          kChildSecondsMax);
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

  static SourceLine LineAt(uintptr_t address) {
    if (address == 0) return SourceLine();
    SourceLine line = ParseSourceLine(memory::DescribeSite(static_cast<uint32_t>(address)));
    // The documented headers are not what is checked.
    return absl::StrContains(line.file, "impl/include/") ? SourceLine() : line;
  }

  static void AddLine(uintptr_t address, CheckFinding* finding) {
    SourceLine line = LineAt(address);
    if (!line.known()) return;
    for (const SourceLine& other : finding->lines) {
      if (other.file == line.file && other.line == line.line) return;
    }
    finding->lines.push_back(std::move(line));
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
  std::vector<Found> findings_;
  std::vector<std::pair<std::string, Implementation>> exchanges_;
  bool exchanges_loaded_ = false;
  Program shortest_;  // of the last finding
  memory::Module module_;
  HuntCounts counts_;
};

}  // namespace

HuntCounts Hunt(const HuntPlan& plan, const Implementation& implementation,
                const std::function<void(const CheckFinding&)>& found) {
  return Hunter(plan, implementation, found).Run();
}

}  // namespace cancelsafe
