// Stands in for afl-fuzz in the tests of campaigns: reads the same command line, and
// leaves behind what an instance would. What it does is the word in the file
// <the target's path>.behaviour.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzzers/targets/stats.h"

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string instance;   // its folder
  std::string target;     // the program
  std::string artifacts;  // where the target would save failures
  std::string stats;
};

Arguments Read(int argc, char** argv) {
  Arguments arguments;
  std::string together, name;
  bool engine = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&](const char* prefix) {
      return argument.rfind(prefix, 0) == 0 ? argument.substr(std::string(prefix).size()) : "";
    };
    if (engine && argument == "-o") together = argv[++i];
    if (engine && (argument == "-M" || argument == "-S")) name = argv[++i];
    if (argument == "--") {
      engine = false;
      arguments.target = argv[++i];
    }
    if (!value("--artifacts=").empty()) arguments.artifacts = value("--artifacts=");
    if (!value("--stats=").empty()) arguments.stats = value("--stats=");
  }
  arguments.instance = together + "/" + name;
  return arguments;
}

void Write(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

void SaveFailure(const std::string& artifacts, const std::string& name,
                 const std::string& verdict) {
  const std::string path = artifacts + "/" + name;
  Write(path,
        "# VERDICT " + verdict + "\n# replay: ./cancelsafe replay " + path + "\ntarget csq\n");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = Read(argc, argv);
  std::string behaviour, error;
  std::ifstream(arguments.target + ".behaviour") >> behaviour;
  cancelsafe::TargetStats* stats = cancelsafe::MapStats(arguments.stats, &error);
  if (stats == nullptr) return 3;
  stats->runs = 1000;
  for (int i = 0; i < argc; ++i) printf("argument: %s\n", argv[i]);
  for (const char* name : {"AFL_CUSTOM_MUTATOR_LIBRARY", "CANCELSAFE_FAMILY", "AFL_NO_UI"}) {
    const char* value = getenv(name);
    printf("%s=%s\n", name, value == nullptr ? "(none)" : value);
  }
  fflush(stdout);
  for (const char* part : {"/queue", "/crashes", "/hangs"}) {
    fs::create_directories(arguments.instance + part);
  }
  const std::string stability = behaviour == "unstable" ? "97.50%" : "100.00%";
  Write(arguments.instance + "/fuzzer_stats",
        "run_time          : 1\nstability         : " + stability + "\n");
  Write(arguments.instance + "/queue/id:000000,time:0,execs:0,orig:seed", "seed");
  Write(arguments.instance + "/queue/id:000001,src:000000,time:1,execs:9,op:x,+cov", "found");
  Write(arguments.instance + "/queue/id:000002,sync:other,src:000004", "taken");

  if (behaviour == "violations") {
    SaveFailure(arguments.artifacts, "csq-lost-item-CSQ-INV-01-1.txt",
                "lost-item CSQ-INV-01 (conservation): irp 2 never ended");
    SaveFailure(arguments.artifacts, "csq-lost-item-CSQ-INV-01-2.txt",
                "lost-item CSQ-INV-01 (conservation): irp 3 never ended");
    SaveFailure(arguments.artifacts, "csq-rule-CSQ-RULE-03-1.txt", "rule CSQ-RULE-03 (x): y");
  }
  if (behaviour == "signal" || behaviour == "hang") {
    const std::string part = behaviour == "hang" ? "/hangs" : "/crashes";
    Write(arguments.instance + part + "/id:000000,sig:09,src:000000,time:1,op:x", "any bytes");
  }
  if (behaviour == "setup") {
    fprintf(stderr, "cancelsafe: the implementation does not provide IoCsqInsertIrp\n");
    fprintf(stderr, "\x1b[1;91m[-] PROGRAM ABORT : \x1b[0mFork server handshake failed\x1b[0m\n");
    return 1;
  }
  if (behaviour == "abort") {
    fprintf(stderr, "\x1b[1;91m[-] PROGRAM ABORT : \x1b[0mNo usable test cases\x1b[0m\n");
    return 1;
  }
  // As AFL++ does it: the target leads a group of its own, and is left behind.
  if (fork() == 0) {
    setsid();
    Write(arguments.target + ".pid", std::to_string(getpid()) + "\n");
    for (;;) pause();
  }
  if (behaviour == "interrupt") kill(getppid(), SIGINT);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  int number;
  sigwait(&set, &number);
  return 0;
}
