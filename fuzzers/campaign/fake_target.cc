// Stands in for a fuzz target in the tests of campaigns: prints and leaves behind
// what a target would under an engine. What it does is the word in the file
// <its own path>.behaviour.
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_report.h"

namespace {

constexpr int kEngineCrash = 77, kEngineTimeout = 70, kEngineMemory = 71;

std::string FlagValue(int argc, char** argv, const std::string& prefix) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind(prefix, 0) == 0) return argument.substr(prefix.size());
  }
  return "";
}

[[noreturn]] void EngineDeath(const std::string& artifact_prefix, const std::string& name,
                              const std::string& error, int code) {
  const std::string path = artifact_prefix + name;
  std::ofstream(path, std::ios::binary) << "any bytes are a program";
  fprintf(stderr, "==%d== ERROR: libFuzzer: %s\nSUMMARY: libFuzzer: %s\n", getpid(), error.c_str(),
          error.c_str());
  fprintf(stderr, "artifact_prefix='%s'; Test unit written to %s\n", artifact_prefix.c_str(),
          path.c_str());
  _exit(code);
}

void Report(cancelsafe::Rule rule, const char* reason, const std::string& saved,
            const char* unconfirmed = "", bool left_out = false) {
  cancelsafe::TargetReport report;
  report.verdict = cancelsafe::MakeVerdict(rule, cancelsafe::Family::kCsq);
  report.verdict.reason = reason;
  report.saved = saved;
  if (!saved.empty()) report.replay = "./cancelsafe replay " + saved;
  report.unconfirmed = unconfirmed;
  report.left_out = left_out;
  fprintf(stderr, "\n%s\n", cancelsafe::TargetReportLine(report).c_str());
}

// Ignores polite requests, as an implementation might, and has a child.
[[noreturn]] void HangOn(const std::string& self) {
  signal(SIGTERM, SIG_IGN);
  const pid_t child = fork();
  if (child != 0) {
    std::ofstream(self + ".pids") << getpid() << " " << child << "\n";
    kill(getppid(), SIGINT);
  }
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string self = argv[0];
  std::string behaviour;
  std::ifstream(self + ".behaviour") >> behaviour;
  const std::string artifacts = FlagValue(argc, argv, "--artifacts=");
  const std::string prefix = FlagValue(argc, argv, "-artifact_prefix=");
  std::string error;
  cancelsafe::TargetStats* stats = cancelsafe::MapStats(FlagValue(argc, argv, "--stats="), &error);
  if (stats == nullptr) return 3;
  stats->runs += 1000;
  stats->states = 42;
  stats->operations = 7001;
  stats->skipped[static_cast<int>(cancelsafe::Skip::kItemInUse)] = 302;
  stats->skipped[static_cast<int>(cancelsafe::Skip::kNotProvided)] = 5;
  stats->unknown = behaviour == "clean" ? 3 : 0;
  stats->unconfirmed = behaviour == "clean" ? 2 : 0;
  for (int i = 0; i < argc; ++i) printf("argument: %s\n", argv[i]);
  fflush(stdout);

  if (behaviour == "clean") {
    fprintf(stderr, "Done 1000 runs in 1 second(s)\n");
    return 0;
  }
  if (behaviour == "enough") {
    fprintf(stderr, "%s1240\n", cancelsafe::kEnoughSchedules);
    _exit(0);
  }
  if (behaviour == "violation") {
    const std::string path = artifacts + "/csq-lost-item-CSQ-INV-01-0badcafe.txt";
    std::ofstream(path) << "# a failure\n";
    std::ofstream(prefix + "crash-1") << "bytes";
    Report(cancelsafe::Rule::kLostItem, "irp 2 never ended", path);
    fprintf(stderr, "Test unit written to %scrash-1\n", prefix.c_str());
    abort();
  }
  if (behaviour == "unconfirmed") {
    const std::string path = artifacts + "/unconfirmed-csq-data-race-data-race-0badcafe.txt";
    std::ofstream(path) << "# a failure\n";
    Report(cancelsafe::Rule::kDataRace, "two places", path, "the saved form passes");
    fprintf(stderr, "Done 1000 runs in 1 second(s)\n");
    return 0;
  }
  if (behaviour == "unsaved") {
    Report(cancelsafe::Rule::kDeadlock, "no fiber can run", "");
    fprintf(stderr, "cancelsafe: cannot create x: No space left on device\n");
    abort();
  }
  if (behaviour == "left-out") fprintf(stderr, "#29\tINITED cov: 100 ft: 200 corp: 28/1Kb\n");
  if ((behaviour == "left-out" && stats->runs < 4000) || behaviour == "left-out-in-corpus") {
    Report(cancelsafe::Rule::kSignal, "the implementation crashed in Peek mine.c:12", "", "", true);
    EngineDeath(prefix, "crash-1", "deadly signal", kEngineCrash);
  }
  if (behaviour == "left-out") {
    fprintf(stderr, "Done 1000 runs in 1 second(s)\n");
    return 0;
  }
  if (behaviour == "crash") EngineDeath(prefix, "crash-1", "deadly signal", kEngineCrash);
  if (behaviour == "exit") EngineDeath(prefix, "crash-1", "fuzz target exited", kEngineCrash);
  if (behaviour == "time-out") {
    EngineDeath(prefix, "timeout-1", "timeout after 10 seconds", kEngineTimeout);
  }
  if (behaviour == "memory") {
    EngineDeath(prefix, "oom-1", "out-of-memory (used: 2049Mb; limit: 2048Mb)", kEngineMemory);
  }
  if (behaviour == "vanish") _exit(0);
  if (behaviour == "killed") raise(SIGKILL);
  if (behaviour == "setup") {
    fprintf(stderr, "cancelsafe: the implementation does not provide IoCsqInsertIrp\n");
    return 3;
  }
  if (behaviour == "interrupt") HangOn(self);
  if (behaviour == "hanging-guest") {
    // As a target does that watches its guest.
    static const std::string path = artifacts + "/csq-livelock-time-out-0badcafe.txt";
    stats->running = 1;
    signal(SIGTERM, [](int) {
      std::ofstream(path) << "# a failure\n";
      Report(cancelsafe::Rule::kTimeOut, "the run did not end and was killed", path);
      _exit(77);
    });
  }
  if (behaviour == "overtime" || behaviour == "hanging-guest") {
    for (;;) pause();
  }
  return 1;
}
