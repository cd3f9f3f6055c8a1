// cancelsafe-fuzz-build-check: checks one build, prints what is wrong with it.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzzers/fleets/build_check.h"

namespace cancelsafe {
namespace {

constexpr int kBad = 1, kUsageError = 2, kSetupError = 3;

constexpr char kUsage[] =
    "usage: cancelsafe-fuzz-build-check ENGINE-SANITIZER FOLDER\n"
    "\n"
    "Checks the fuzz targets of FOLDER (what build.sh puts into $OUT) as OSS-Fuzz and\n"
    "ClusterFuzzLite do: in another, read-only folder, without environment and privileges,\n"
    "by the command lines of fuzzers/fleets/command_lines.txt.\n"
    "ENGINE is libfuzzer or afl; SANITIZER is address, undefined or coverage.\n"
    "\n"
    "The last line is \"N targets, N command lines, N bad\". Exit status: 0 all targets are\n"
    "good, 1 one is bad or there is none, 2 wrong usage, 3 nothing could be checked.\n";

int Main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(kUsage, stdout);
    return 0;
  }
  const std::string combination = argc == 3 ? argv[1] : "";
  const size_t dash = combination.find('-');
  if (dash == std::string::npos) {
    fputs(kUsage, stderr);
    return kUsageError;
  }
  std::ifstream file(CANCELSAFE_COMMAND_LINES);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto lines = ParseCommandLines(text);
  if (!file || !lines.ok()) {
    fprintf(stderr, "%s: %s\n", CANCELSAFE_COMMAND_LINES,
            file ? std::string(lines.status().message()).c_str() : "cannot be read");
    return kSetupError;
  }
  const auto checks =
      CheckFuzzBuild({combination.substr(0, dash), combination.substr(dash + 1), argv[2]}, *lines);
  if (!checks.ok()) {
    fprintf(stderr, "%s\n", std::string(checks.status().message()).c_str());
    return kSetupError;
  }
  int bad = 0, started = 0;
  for (const TargetCheck& check : *checks) {
    bad += check.complaints.empty() ? 0 : 1;
    started += check.started;
    for (const std::string& complaint : check.complaints) {
      printf("BAD BUILD: %s: %s\n", check.target.c_str(), complaint.c_str());
    }
  }
  if (checks->empty()) printf("BAD BUILD: no fuzz targets in %s\n", argv[2]);
  printf("%zu targets, %d command lines, %d bad\n", checks->size(), started, bad);
  return checks->empty() || bad != 0 ? kBad : 0;
}

}  // namespace
}  // namespace cancelsafe

int main(int argc, char** argv) { return cancelsafe::Main(argc, argv); }
