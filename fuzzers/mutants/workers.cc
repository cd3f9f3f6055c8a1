// See workers.h.
#include "fuzzers/mutants/workers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

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

[[noreturn]] void BeWorker(const Mutant& mutant, const std::string& path, pid_t parent,
                           const std::function<MutantResult(const Mutant&)>& attack) {
  // Should this program be killed outright, nothing of it must go on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  std::ofstream file(path, std::ios::binary);
  file << PackResult(attack(mutant));
  file.close();
  _exit(file ? 0 : 1);
}

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
    absl::StrAppendFormat(&text, "seed\t%d\t%d\t%d\t%d\t%.6f\t%d\t%s\t%s\n",
                          static_cast<int>(seed.ending), seed.sequential ? 1 : 0,
                          static_cast<int>(seed.sanitizer), static_cast<int>(seed.kind),
                          seed.seconds, seed.runs, Escaped(seed.saved), Escaped(seed.verdict_line));
  }
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
    } else if (columns[0] == "seed" && columns.size() == 9) {
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
  std::map<pid_t, size_t> running;
  const pid_t parent = getpid();
  size_t next = 0;
  while (next < mutants.size() || !running.empty()) {
    if (next < mutants.size() && running.size() < static_cast<size_t>(jobs)) {
      const std::string path = ResultPath(folder, next);
      unlink(path.c_str());
      fflush(stdout);
      const pid_t child = fork();
      if (child == 0) BeWorker(mutants[next], path, parent, attack);
      results[next].mutant = mutants[next];
      if (child > 0) running[child] = next;
      if (child < 0) results[next].complaint = "no process could be started for it";
      ++next;
      continue;
    }
    int status = 0;
    const auto ended = running.find(waitpid(-1, &status, 0));
    if (ended == running.end()) continue;
    MutantResult& result = results[ended->second];
    std::ifstream file(ResultPath(folder, ended->second), std::ios::binary);
    UnpackResult({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()}, &result);
    running.erase(ended);
    done(result);
  }
  return results;
}

}  // namespace cancelsafe
