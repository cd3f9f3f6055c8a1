// cancelsafe-conform: runs the suite against an implementation and says, clause
// by clause, whether it conforms. What is done for each option is elsewhere; here
// are the command line and the exit status.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/hosts/user/suite_run.h"
#include "conformance/hosts/user/wine_host.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/expectations.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"
#include "conformance/selfcheck/self_check.h"
#include "conformance/suite/runner.h"

namespace cancelsafe::conformance {

namespace {

constexpr int kConforms = 0;
constexpr int kDoesNot = 1;
constexpr int kUsage = 2;
constexpr int kNotLoaded = 3;
constexpr int kSelfCheckFailed = 4;

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
    "  --help\n"
    "\n"
    "exit status: 0 conforms, as far as the expectations go; 1 does not; 2 wrong usage;\n"
    "3 the implementation could not be loaded; 4 the suite's self-check failed\n";

struct Options {
  std::string implementation;
  std::string name;
  std::string host;
  std::string results;
  std::string clause;
  std::string expectations;
  std::string write_expectations;
  std::string report;
  std::vector<std::string> compare;
  bool list = false;
  bool self_check = false;
  bool help = false;
};

bool ParseOptions(int argc, char** argv, Options* options, std::string* error) {
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--list") {
      options->list = true;
    } else if (word == "--self-check") {
      options->self_check = true;
    } else if (word == "--help" || word == "-h") {
      options->help = true;
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

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::stringstream all;
  all << file.rdbuf();
  *text = all.str();
  return true;
}

int Fail(int status, const std::string& message) {
  std::cerr << "cancelsafe-conform: " << message << "\n";
  return status;
}

int List(const std::string& glob) {
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    const suite::Case& c = suite::CaseAt(i);
    std::cout << c.id << "  [" << c.clauses << "]\n    " << c.requirement << "\n";
  }
  return kConforms;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Fills `*report` from another host's TAP file; 0 or an exit status.
int ReadResults(const std::string& path, const std::string& name, const std::string& glob,
                Report* report) {
  std::string text;
  std::string error;
  if (!ReadFile(path, &text)) return Fail(kNotLoaded, absl::StrCat("cannot read ", path));
  report->host = "driver";
  report->implementation = name;
  Report all;
  if (!ReadTap(text, &all, &error)) return Fail(kNotLoaded, absl::StrCat(path, ": ", error));
  AddMissingCases(&all);
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    for (const CaseReport& c : all.cases) {
      if (c.id == suite::CaseAt(i).id) report->cases.push_back(c);
    }
  }
  return 0;
}

// The implementation that was asked for, and what to call it; 0 or an exit status.
int Load(const Options& options, Implementation* implementation, std::string* name) {
  *implementation = BuiltInImplementation();
  *name = "built-in";
  if (!options.implementation.empty()) {
    std::string error;
    *implementation = Implementation();
    if (!LoadImplementation(options.implementation, implementation, &error)) {
      return Fail(kNotLoaded, error);
    }
    *name = BaseName(options.implementation);
  }
  if (!options.name.empty()) *name = options.name;
  return 0;
}

// Fills `*report` from a run or from a TAP file; 0 or an exit status.
int Obtain(const Options& options, Report* report) {
  if (!options.host.empty()) {
    std::string tap;
    std::string name;
    std::string error;
    if (options.host != "wine") {
      return Fail(kUsage, absl::StrCat("unknown host: ", options.host));
    }
    if (!RunUnderWine(&tap, &name, &error)) return Fail(kNotLoaded, error);
    return ReadResults(tap, options.name.empty() ? name : options.name, options.clause, report);
  }
  if (!options.results.empty()) {
    return ReadResults(options.results,
                       options.name.empty() ? BaseName(options.results) : options.name,
                       options.clause, report);
  }
  Implementation implementation;
  std::string name;
  if (const int status = Load(options, &implementation, &name); status != 0) return status;
  *report = RunSuite(implementation, name, options.clause);
  return 0;
}

int Run(const Options& options) {
  Report report;
  if (const int status = Obtain(options, &report); status != 0) return status;
  if (report.cases.empty()) return Fail(kUsage, "no case has such a clause or id");

  if (!options.write_expectations.empty()) {
    std::ofstream(options.write_expectations) << ExpectationsAfter(report);
  }
  std::vector<std::string> stale;
  if (!options.expectations.empty()) {
    std::string text;
    std::string error;
    std::vector<Expectation> expectations;
    if (!ReadFile(options.expectations, &text)) {
      return Fail(kUsage, absl::StrCat("cannot read ", options.expectations));
    }
    if (!ParseExpectations(text, &expectations, &error)) {
      return Fail(kUsage, absl::StrCat(options.expectations, ": ", error));
    }
    stale = ApplyExpectations(expectations, &report);
  }
  std::vector<Report> reports = {report};
  for (const std::string& path : options.compare) {
    std::string text;
    std::string error = "cannot be read";
    Report other;
    if (!ReadFile(path, &text) || !ReadJsonLines(text, &other, &error)) {
      return Fail(kUsage, absl::StrCat(path, ": ", error));
    }
    reports.push_back(other);
  }
  std::cout << ConsoleTable(report) << ConsoleFailures(report);
  if (!options.report.empty()) {
    std::string error;
    if (!WriteReports(reports, options.report, &error)) return Fail(kUsage, error);
    std::cout << "report: " << options.report << "/report.html\n";
  }
  for (const std::string& line : stale) {
    std::cout << "stale expectation: " << options.expectations << " " << line << "\n";
  }
  bool failed = !stale.empty();
  for (const CaseReport& c : report.cases) failed = failed || IsFailure(c.verdict);
  std::cout << ClosingLine(report);
  return failed ? kDoesNot : kConforms;
}

int SelfCheck(const Options& options) {
  Implementation right;
  std::string name;
  if (const int status = Load(options, &right, &name); status != 0) return status;
  const SelfCheckResult result = RunSelfCheck(right, name);
  std::cout << SelfCheckText(result);
  return result.ok ? kConforms : kSelfCheckFailed;
}

int Main(int argc, char** argv) {
  Options options;
  std::string error;
  if (!ParseOptions(argc, argv, &options, &error)) {
    return Fail(kUsage, absl::StrCat(error, "\n", kHelp));
  }
  if (options.help) {
    std::cout << kHelp;
    return kConforms;
  }
  if (options.list) return List(options.clause);
  if (options.self_check) return SelfCheck(options);
  return Run(options);
}

}  // namespace

}  // namespace cancelsafe::conformance

int main(int argc, char** argv) { return cancelsafe::conformance::Main(argc, argv); }
