// See workers.h.
#include "fuzzers/mutants/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

// Lines of a packed result hold columns, and texts of any contents.
constexpr char kColumn = '\t';

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\t", "\\t"}, {"\n", "\\n"}});
}

std::string Unescaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\\\", "\\"}, {"\\t", "\t"}, {"\\n", "\n"}});
}

int Number(absl::string_view text) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

void UnpackSeed(const std::vector<absl::string_view>& columns, AttackResult* attack) {
  SeedResult seed;
  seed.ending = static_cast<SeedResult::Ending>(Number(columns[1]));
  seed.sequential = Number(columns[2]) != 0;
  seed.sanitizer = static_cast<Sanitizer>(Number(columns[3]));
  seed.kind = static_cast<VerdictKind>(Number(columns[4]));
  if (!absl::SimpleAtod(columns[5], &seed.seconds)) seed.seconds = 0;
  if (!absl::SimpleAtoi(columns[6], &seed.runs)) seed.runs = 0;
  seed.saved = Unescaped(columns[7]);
  seed.verdict_line = Unescaped(columns[8]);
  if (!absl::SimpleAtod(columns[9], &seed.processor_seconds)) seed.processor_seconds = 0;
  attack->seeds.push_back(std::move(seed));
}

void UnpackReplay(const std::vector<absl::string_view>& columns, AttackResult* attack) {
  const int flavour = Number(columns[1]);
  if (flavour < 0 || flavour >= kSanitizerCount) return;
  attack->replay[flavour] = {Number(columns[2]), Number(columns[3]), Unescaped(columns[4]),
                             Number(columns[5])};
}

std::string ResultPath(const std::string& folder, size_t index) {
  return absl::StrCat(folder, "/", index, ".result");
}

int BeWorker(const Mutant& mutant, const std::string& path,
             const std::function<MutantResult(const Mutant&)>& attack) {
  return WriteFileAtomically(path, PackResult(attack(mutant))).ok() ? 0 : 1;
}

// How long the end of a worker may go unnoticed; an attack takes seconds.
constexpr int kPollMilliseconds = 20;

}  // namespace

bool LockFolder(const std::string& folder, std::string* error) {
  const std::string path = folder + "/lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    *error = absl::StrCat("cannot create ", path, ": ", strerror(errno));
    return false;
  }
  // Never closed: workers inherit it, and the programs that they run do not.
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return true;
  *error = absl::StrCat("other attacks are using ", folder,
                        "; wait for them, or give another --work DIR");
  close(file);
  return false;
}

std::string PackResult(const MutantResult& result) {
  std::string text = absl::StrCat("complaint\t", Escaped(result.complaint), "\nneeds\t",
                                  result.attack.needs_concurrency ? 1 : 0, "\n");
  for (const SeedResult& seed : result.attack.seeds) {
    absl::StrAppendFormat(&text, "seed\t%d\t%d\t%d\t%d\t%.6f\t%d\t%s\t%s\t%.6f\n",
                          static_cast<int>(seed.ending), seed.sequential ? 1 : 0,
                          static_cast<int>(seed.sanitizer), static_cast<int>(seed.kind),
                          seed.seconds, seed.runs, Escaped(seed.saved), Escaped(seed.verdict_line),
                          seed.processor_seconds);
  }
  const SmallFailure& small = result.attack.small;
  absl::StrAppend(&text, "small\t", small.operations, "\t", small.fibers, "\t", small.switches,
                  "\t", small.stale_choices, "\n");
  absl::StrAppend(&text, "races\t", result.attack.races, "\t", result.attack.races_in_model, "\t",
                  Escaped(result.attack.race_missed), "\n");
  for (int i = 0; i < kSanitizerCount; ++i) {
    const ReplayResult& replay = result.attack.replay[i];
    absl::StrAppend(&text, "replay\t", i, "\t", replay.tried, "\t", replay.same, "\t",
                    Escaped(replay.other_line), "\t", replay.other_same, "\n");
  }
  return text;
}

void UnpackResult(const std::string& text, MutantResult* result) {
  result->complaint = "its attack was interrupted";
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> columns = absl::StrSplit(line, kColumn);
    if (columns[0] == "complaint" && columns.size() == 2) {
      result->complaint = Unescaped(columns[1]);
    } else if (columns[0] == "needs" && columns.size() == 2) {
      result->attack.needs_concurrency = Number(columns[1]) != 0;
    } else if (columns[0] == "races" && columns.size() == 4) {
      result->attack.races = Number(columns[1]);
      result->attack.races_in_model = Number(columns[2]);
      result->attack.race_missed = Unescaped(columns[3]);
    } else if (columns[0] == "small" && columns.size() == 5) {
      result->attack.small = {Number(columns[1]), Number(columns[2]), Number(columns[3]),
                              Number(columns[4])};
    } else if (columns[0] == "seed" && columns.size() == 10) {
      UnpackSeed(columns, &result->attack);
    } else if (columns[0] == "replay" && columns.size() == 6) {
      UnpackReplay(columns, &result->attack);
    }
  }
}

std::vector<MutantResult> AttackAll(const std::vector<Mutant>& mutants, int jobs,
                                    const std::string& folder,
                                    const std::function<MutantResult(const Mutant&)>& attack,
                                    const std::function<void(const MutantResult&)>& done) {
  std::vector<MutantResult> results(mutants.size());
  std::map<size_t, std::unique_ptr<Process>> running;
  size_t next = 0;
  while (next < mutants.size() || !running.empty()) {
    if (next < mutants.size() && running.size() < static_cast<size_t>(jobs)) {
      const std::string path = ResultPath(folder, next);
      unlink(path.c_str());
      absl::StatusOr<std::unique_ptr<Process>> worker =
          Process::Fork([&] { return BeWorker(mutants[next], path, attack); });
      results[next].mutant = mutants[next];
      if (worker.ok()) {
        running[next] = *std::move(worker);
      } else {
        results[next].complaint = std::string(worker.status().message());
      }
      ++next;
      continue;
    }
    poll(nullptr, 0, kPollMilliseconds);
    for (auto at = running.begin(); at != running.end();) {
      if (!at->second->Poll()) {
        ++at;
        continue;
      }
      MutantResult& result = results[at->first];
      UnpackResult(ReadFile(ResultPath(folder, at->first)).value_or(""), &result);
      at = running.erase(at);
      done(result);
    }
  }
  return results;
}

}  // namespace cancelsafe
