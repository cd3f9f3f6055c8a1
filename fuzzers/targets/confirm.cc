// See confirm.h.
#include "fuzzers/targets/confirm.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/targets/target_report.h"

extern char** environ;

namespace cancelsafe {
namespace {

constexpr int kSetupError = 3;
// For the whole fresh process; a run takes microseconds, its start up to seconds.
constexpr unsigned kSecondsMax = 60;
// Where AFL++'s fork server listens: not for the fresh process to answer.
constexpr int kForkServerFiles[] = {198, 199};

std::string Gave(const char* how, const Verdict& verdict) {
  return absl::StrCat(how, ": ", VerdictLine(verdict));
}

// An engine's alarm counts the time of one input, and the fresh process does not count.
class AlarmsIgnored {
 public:
  AlarmsIgnored() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGALRM, &ignore, &before_);
  }
  ~AlarmsIgnored() { sigaction(SIGALRM, &before_, nullptr); }
  AlarmsIgnored(const AlarmsIgnored&) = delete;
  AlarmsIgnored& operator=(const AlarmsIgnored&) = delete;

 private:
  struct sigaction before_;
};

// Starts the command with its standard output in a pipe; an errno.
int Start(const std::vector<std::string>& command, pid_t* child, int* output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  for (const int file : kForkServerFiles) {
    if (fcntl(file, F_GETFD) >= 0) posix_spawn_file_actions_addclose(&actions, file);
  }
  const int error = posix_spawn(child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) close(ends[0]);
  *output = ends[0];
  return error;
}

}  // namespace

std::string ConfirmFromChoices(Runner* runner, const Program& program, const Verdict& seen,
                               Failure* failure) {
  failure->program = runner->Executed(program);
  const RunOutput& output = runner->output();
  if (output.verdict.ok() || output.verdict.kind == VerdictKind::kUnknown) {
    // The choices belong to a run that did not fail. The schedule that did is in the
    // program as it was.
    failure->program = program;
    failure->verdict = seen;
    return Gave("the same program gave, when it was recorded", output.verdict);
  }
  failure->verdict = output.verdict;
  runner->Executed(failure->program);
  if (SameFinding(output.verdict, failure->verdict) && !output.stale_diverged) return "";
  const std::string why = output.stale_diverged
                              ? "its recorded stale choices did not fit when they were replayed"
                              : Gave("its recorded choices gave", output.verdict);
  failure->program = program;
  return why;
}

std::string ConfirmInFreshProcess(const std::vector<std::string>& command, const Verdict& verdict) {
  const AlarmsIgnored no_alarms;
  pid_t child = -1;
  int output = -1;
  const int error = Start(command, &child, &output);
  if (error != 0) return absl::StrCat("no fresh process could be started: ", strerror(error));
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t count = read(output, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece, static_cast<size_t>(count));
  }
  close(output);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    TargetReport report;
    if (!ParseTargetReport(line, &report)) continue;
    if (SameFinding(report.verdict, verdict)) return "";
    return Gave("a fresh process gave", report.verdict);
  }
  return absl::StrCat("a fresh process ended without an answer, with ",
                      WIFSIGNALED(status) ? absl::StrCat("signal ", WTERMSIG(status))
                                          : absl::StrCat("exit status ", WEXITSTATUS(status)));
}

int AnswerConfirmation(Runner* runner, const std::string& path) {
  alarm(kSecondsMax);
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(text);
  if (!file.ok()) {
    fprintf(stderr, "cancelsafe: %s: %s\n", path.c_str(),
            std::string(file.status().message()).c_str());
    return kSetupError;
  }
  Program program = file->program;
  ForEachSchedule(&program, [&](int) {
    runner->Executed(program);
    return runner->output().verdict.ok();
  });
  TargetReport report;
  report.verdict = runner->output().verdict;
  printf("%s\n", TargetReportLine(report).c_str());
  return fflush(stdout) == 0 ? 0 : kSetupError;
}

}  // namespace cancelsafe
