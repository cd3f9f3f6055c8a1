// cancelsafe-conform: runs the suite against an implementation and says, clause
// by clause, whether it conforms. Here is the command line; what it does is in
// conform_run.cc.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "conformance/hosts/user/conform_run.h"

namespace cancelsafe::conformance {

namespace {

constexpr int kUsage = 2;

constexpr char kHelp[] =
    "usage: cancelsafe-conform [options]\n"
    "\n"
    "  --implementation FILE.so  the shared object to check (default: the built-in one)\n"
    "  --name NAME               what reports call it (default: the file's name)\n"
    "  --host wine               run the suite as a kernel driver under Wine\n"
    "  --results FILE            judge a TAP file that another host wrote, and run nothing\n"
    "  --clause GLOB             only cases with a matching clause or id: 'CSQ-INSERT-*'\n"
    "  --expectations FILE       what is known of this implementation; strict both ways\n"
    "  --write-expectations FILE what would be expected after this run, to be completed by hand\n"
    "  --report DIR              junit.xml, report.tap, .jsonl, .md and .html\n"
    "  --compare FILE.jsonl      put an earlier report beside this one in the page; repeatable\n"
    "  --list                    the cases and their clauses, and run nothing\n"
    "  --self-check              check the suite itself with deliberately wrong implementations;\n"
    "                            what --implementation names is then taken to be right\n"
    "  --mutants                 which known bugs of fuzzers/mutants the suite notices\n"
    "  --help\n"
    "\n"
    "exit status: 0 conforms, as far as the expectations go; 1 does not; 2 wrong usage;\n"
    "3 the implementation could not be loaded; 4 the suite's self-check failed\n";

bool ParseOptions(int argc, char** argv, ConformOptions* options, bool* help, std::string* error) {
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--list") {
      options->list = true;
    } else if (word == "--self-check") {
      options->self_check = true;
    } else if (word == "--mutants") {
      options->mutants = true;
    } else if (word == "--help" || word == "-h") {
      *help = true;
    } else {
      std::string value;
      const size_t equals = word.find('=');
      const bool joined = equals != std::string::npos;
      if (joined) {
        value = word.substr(equals + 1);
        word.resize(equals);
      }
      std::string* target = word == "--implementation"       ? &options->implementation
                            : word == "--name"               ? &options->name
                            : word == "--host"               ? &options->host
                            : word == "--results"            ? &options->results
                            : word == "--write-expectations" ? &options->write_expectations
                            : word == "--clause"             ? &options->clause
                            : word == "--expectations"       ? &options->expectations
                            : word == "--report"             ? &options->report
                                                             : nullptr;
      if (word == "--compare") target = &options->compare.emplace_back();
      if (target == nullptr) {
        *error = absl::StrCat("unknown option: ", argv[i]);
        return false;
      }
      if (!joined) {
        if (++i == argc) {
          *error = absl::StrCat(word, " needs a value");
          return false;
        }
        value = argv[i];
      }
      *target = value;
    }
  }
  return true;
}

int Main(int argc, char** argv) {
  ConformOptions options;
  options.patches = CANCELSAFE_PATCHES_DIR;
  options.recipe = CANCELSAFE_GUEST_RECIPE;
  options.work = CANCELSAFE_MUTANTS_WORK;
  std::string error;
  bool help = false;
  if (!ParseOptions(argc, argv, &options, &help, &error)) {
    std::cerr << "cancelsafe conform: " << error << "\n" << kHelp;
    return kUsage;
  }
  if (!help) return RunConform(options);
  std::cout << kHelp;
  return 0;
}

}  // namespace

}  // namespace cancelsafe::conformance

int main(int argc, char** argv) { return cancelsafe::conformance::Main(argc, argv); }
