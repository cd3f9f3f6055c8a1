// What the conform subcommand does, once its command line has been read.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_CONFORM_RUN_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_CONFORM_RUN_H_

#include <string>
#include <vector>

namespace cancelsafe::conformance {

struct ConformOptions {
  std::string implementation;  // of a shared object; "" for the built-in one
  std::string name;            // what reports call it; "" for the file's name
  std::string host;            // "wine" or ""
  std::string results;         // a TAP file that is judged instead of a run
  std::string clause;          // glob; "" for all
  std::string expectations;
  std::string write_expectations;
  std::string report;  // folder
  std::vector<std::string> compare;
  bool list = false;
  bool self_check = false;
  bool mutants = false;
  std::string patches;  // folder of the mutants
  std::string recipe;   // how they are compiled: guest.txt of a build
  std::string work;     // folder for what is compiled
};

// Exit statuses: 0 conforms, as far as the expectations go; 1 does not; 2 wrong usage or
// an unreadable file; 3 the implementation could not be loaded, or a report could not be
// written; 4 the check of the suite itself failed.
int RunConform(const ConformOptions& options);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_CONFORM_RUN_H_
