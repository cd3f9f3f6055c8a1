// The builder as a program of its own, which the tests' drivers are built with:
// cancelsafe_driver_build GAP_HEADERS OUTPUT [-DNAME[=VALUE]]... [-IFOLDER]... [-plain] [-dll]
// SOURCE...
#include <cstdio>
#include <string>

#include "fuzzers/drivers/build/driver_builder.h"

int main(int argc, char** argv) {
  cancelsafe::drivers::DriverBuildOptions options;
  if (argc < 4) {
    fprintf(stderr,
            "usage: %s GAP_HEADERS OUTPUT [-DNAME]... [-IFOLDER]... [-plain] [-dll] SOURCE...\n",
            argv[0]);
    return 2;
  }
  options.gap_headers = argv[1];
  options.output = argv[2];
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-plain") {
      options.instrument = false;
    } else if (word == "-dll") {
      options.dll = true;
    } else if (word.rfind("-I", 0) == 0) {
      options.includes.push_back(word.substr(2));
    } else if (word.rfind("-D", 0) == 0) {
      options.definitions.push_back(word.substr(2));
    } else {
      options.sources.push_back(word);
    }
  }
  const absl::Status status = BuildDriver(options);
  if (status.ok()) return 0;
  fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}
