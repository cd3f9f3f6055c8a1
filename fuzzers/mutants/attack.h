// Attacks one mutant: fuzz targets as child processes, from nothing, with one
// fiber first and then with up to four, at last with a point at every access; and replays of what
// they saved. What a verdict is worth is decided here; nothing is printed.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_ATTACK_H_
#define CANCELSAFE_FUZZERS_MUTANTS_ATTACK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/mutants/mutant.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

// A flavour of the build that can attack. The last is the memory engine's, in which every
// access is a preemption point.
enum class Sanitizer : uint8_t { kThread, kAddress, kModel };
inline constexpr int kSanitizerCount = 3;
const char* SanitizerName(Sanitizer sanitizer);

// What one mutant is attacked with.
struct AttackPlan {
  int seeds = 5;
  int seconds = 60;  // per seed, all stages together
  // Instead of the time: inputs of each concurrent stage. 0: by time.
  int concurrent_runs = 0;
  int sequential_runs = 20000;  // of programs with one fiber, before any other
  int replays = 20;             // fresh processes per flavour
  // Of one fiber each, in one more attack on a mutant that more fibers have caught:
  // did it need them? 0: do not ask.
  int proof_runs = 200000;
  bool with[kSanitizerCount] = {true, true, true};  // by Sanitizer; at least one
  // What a load may return in the model flavour; unnamed: as usual.
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;

  std::vector<Sanitizer> sanitizers() const;
};

// Where a flavour's programs are, and the mutant in that flavour.
struct AttackSide {
  std::string fuzzer;
  std::string replay;
  std::string guest;
};

// One seed's attack, up to the first verdict.
struct SeedResult {
  enum class Ending : uint8_t { kNothing, kCaught, kWrongVerdict };
  Ending ending = Ending::kNothing;
  bool sequential = false;  // found while programs had one fiber
  Sanitizer sanitizer = Sanitizer::kThread;
  VerdictKind kind = VerdictKind::kPass;
  std::string rule;
  std::string verdict_line;
  std::string saved;   // path of the readable failure
  double seconds = 0;  // of all stages so far
  double processor_seconds = 0;
  uint64_t runs = 0;
};

// How often fresh processes of one flavour gave the very line of the attack.
struct ReplayResult {
  int tried = 0;  // 0: the verdict belongs to the other flavour
  int same = 0;
  std::string other_line;  // the first line that differed, "" if none did
  int other_same = 0;      // replays that gave other_line

  // The sanitizer of this flavour ends the run with what it alone can see, before
  // the verdict of the attack can show: each time, and each time the same.
  bool sanitizer_first() const;
};

// The smallest program that shows the same, of one failure of the model flavour.
struct SmallFailure {
  int operations = 0;  // 0: none was made
  int fibers = 0;
  int switches = 0;  // choices of a fiber that are not the default
  int stale_choices = 0;
};

struct AttackResult {
  std::vector<SeedResult> seeds;
  SmallFailure small;                    // of the first seed's failure
  ReplayResult replay[kSanitizerCount];  // by Sanitizer, of the first seed's failure
  // Races that the thread flavour reported, one for each seed that ended so, and how many of
  // them the model flavour reports in the same schedule. Only where both attack.
  int races = 0;
  int races_in_model = 0;
  std::string race_missed;  // what it said of the first that it does not report
  // Caught by most seeds with more than one fiber, and not by the proof runs.
  bool needs_concurrency = false;
};

// `work` is a folder of its own. `mutant` without a path is the implementation as
// it is: whatever is found is wrong. Errors say why a target could not run.
absl::StatusOr<AttackResult> Attack(const Mutant& mutant, const AttackPlan& plan,
                                    const AttackSide (&sides)[kSanitizerCount],
                                    const std::string& work);

// Whether a verdict line of the model flavour stands for the race that a line of the thread
// flavour tells of: an access of it that comes after the IRP was completed is a memory error
// there, and ends the run.
bool IsSameRace(const std::string& line, const std::string& race);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_ATTACK_H_
