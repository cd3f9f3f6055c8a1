// See conform_run.h.
#include "conformance/hosts/user/conform_run.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "conformance/hosts/user/suite_run.h"
#include "conformance/hosts/user/wine_host.h"
#include "conformance/report/catalogue.h"
#include "conformance/report/expectations.h"
#include "conformance/report/printable.h"
#include "conformance/report/tap_reader.h"
#include "conformance/report/writers.h"
#include "conformance/selfcheck/mutants_check.h"
#include "conformance/selfcheck/self_check.h"
#include "conformance/suite/runner.h"

namespace cancelsafe::conformance {

namespace {

constexpr int kConforms = 0;
constexpr int kDoesNot = 1;
constexpr int kUsage = 2;
constexpr int kSetup = 3;
constexpr int kSelfCheckFailed = 4;

bool ReadFile(const std::string& path, std::string* text, std::string* error) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    *error = absl::StrCat(path, " is a folder; a file is needed");
    return false;
  }
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  if (file) all << file.rdbuf();
  if (!file) {
    *error = absl::StrCat("cannot read ", path);
    return false;
  }
  *text = all.str();
  return true;
}

int Fail(int status, const std::string& message) {
  // Names of files may hold any bytes; the help holds lines.
  std::cerr << "cancelsafe conform: ";
  for (absl::string_view line : absl::StrSplit(message, '\n')) std::cerr << Printable(line) << "\n";
  return status;
}

// Two flags of which one would be ignored without a word; "" if there are none.
std::string FlagsThatDoNotGoTogether(const ConformOptions& o) {
  struct Flag {
    const char* name;
    bool given;
  };
  const Flag implementation = {"--implementation", !o.implementation.empty()};
  const Flag host = {"--host", !o.host.empty()};
  const Flag results = {"--results", !o.results.empty()};
  const Flag mutants = {"--mutants", o.mutants};
  const Flag self_check = {"--self-check", o.self_check};
  std::vector<std::pair<Flag, Flag>> pairs = {{implementation, host},
                                              {implementation, results},
                                              {host, results},
                                              {mutants, self_check},
                                              {implementation, mutants}};
  for (const Flag& whole : {mutants, self_check}) {
    for (const Flag& part :
         {host, results, Flag{"--clause", !o.clause.empty()},
          Flag{"--expectations", !o.expectations.empty()},
          Flag{"--write-expectations", !o.write_expectations.empty()},
          Flag{"--report", !o.report.empty()}, Flag{"--compare", !o.compare.empty()}}) {
      pairs.emplace_back(whole, part);
    }
  }
  for (const auto& [one, other] : pairs) {
    if (one.given && other.given) {
      return absl::StrCat(one.name, " and ", other.name, " do not go together; leave one out");
    }
  }
  return "";
}

std::string NoCaseMatches(const std::string& glob) {
  return absl::StrCat("no case has a clause or id that matches '", glob, "'; --list names them");
}

int List(const std::string& glob) {
  bool any = false;
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    const suite::Case& c = suite::CaseAt(i);
    any = true;
    std::cout << c.id << "  [" << c.clauses << "]\n    " << c.requirement << "\n";
  }
  return any ? kConforms : Fail(kUsage, NoCaseMatches(glob));
}

// What the case did, whatever was expected when the file was written.
CaseReport WithoutExpectation(CaseReport c) {
  if (c.verdict == CaseVerdict::kExpectedFailure) c.verdict = CaseVerdict::kFail;
  if (c.verdict == CaseVerdict::kUnexpectedPass) c.verdict = CaseVerdict::kPass;
  return c;
}

// Fills `*report` from another host's TAP file; 0 or an exit status.
int ReadResults(const std::string& path, const std::string& name, const std::string& glob,
                Report* report) {
  std::string text;
  std::string error;
  if (!ReadFile(path, &text, &error)) return Fail(kSetup, error);
  report->host = "driver";
  report->implementation = name;
  Report all;
  if (!ReadTap(text, &all, &error)) return Fail(kSetup, absl::StrCat(path, ": ", error));
  AddMissingCases(&all);
  MakePrintable(&all);
  MakePrintable(report);
  for (int i = 0; i < suite::CaseCount(); ++i) {
    if (!Selected(glob, i)) continue;
    for (const CaseReport& c : all.cases) {
      if (c.id == suite::CaseAt(i).id) report->cases.push_back(WithoutExpectation(c));
    }
  }
  return 0;
}

// The implementation that was asked for, and what to call it; 0 or an exit status.
int Load(const ConformOptions& options, Subject* subject, std::string* name) {
  *subject = Subject::Of(BuiltInImplementation());
  *name = "built-in";
  if (!options.implementation.empty()) {
    std::string error;
    if (!Subject::Of(options.implementation, subject, &error)) return Fail(kSetup, error);
    *name = BaseName(options.implementation);
  }
  if (!options.name.empty()) *name = options.name;
  return 0;
}

// Fills `*report` from a run or from a TAP file; 0 or an exit status.
int Obtain(const ConformOptions& options, Report* report) {
  if (!options.host.empty()) {
    std::string tap;
    std::string name;
    std::string error;
    if (options.host != "wine") {
      return Fail(kUsage, absl::StrCat("unknown host: ", options.host));
    }
    if (!RunUnderWine(&tap, &name, &error)) return Fail(kSetup, error);
    return ReadResults(tap, options.name.empty() ? name : options.name, options.clause, report);
  }
  if (!options.results.empty()) {
    return ReadResults(options.results,
                       options.name.empty() ? BaseName(options.results) : options.name,
                       options.clause, report);
  }
  Subject subject;
  std::string name;
  if (const int status = Load(options, &subject, &name); status != 0) return status;
  *report = RunSuite(subject, name, options.clause);
  return 0;
}

int Run(const ConformOptions& options) {
  Report report;
  if (const int status = Obtain(options, &report); status != 0) return status;
  if (report.cases.empty())
    return Fail(kUsage, report.left_out != 0
                            ? "the cases of that clause or id check this host alone; leave out "
                              "--implementation to run them"
                            : NoCaseMatches(options.clause));

  if (!options.write_expectations.empty()) {
    const absl::Status written =
        WriteFileAtomically(options.write_expectations, ExpectationsAfter(report));
    if (!written.ok()) return Fail(kSetup, std::string(written.message()));
  }
  if (!options.expectations.empty()) {
    std::string text;
    std::string error;
    std::vector<Expectation> expectations;
    if (!ReadFile(options.expectations, &text, &error)) return Fail(kUsage, error);
    if (!ParseExpectations(text, &expectations, &error)) {
      return Fail(kUsage, absl::StrCat(options.expectations, ": ", error));
    }
    report.stale = ApplyExpectations(expectations, &report);
  }
  std::vector<Report> reports = {report};
  for (const std::string& path : options.compare) {
    std::string text;
    std::string error;
    Report other;
    if (!ReadFile(path, &text, &error)) return Fail(kUsage, error);
    if (!ReadJsonLines(text, &other, &error)) {
      return Fail(kUsage, absl::StrCat(path, ": ", error));
    }
    reports.push_back(other);
  }
  std::cout << ConsoleTable(report) << ConsoleFailures(report);
  if (!options.report.empty()) {
    const absl::Status written = WriteReports(reports, options.report);
    if (!written.ok()) return Fail(kSetup, std::string(written.message()));
    std::cout << "report: " << Printable(options.report) << "/report.html\n";
  }
  for (const std::string& line : report.stale) {
    std::cout << "stale expectation: " << Printable(options.expectations) << " " << Printable(line)
              << "\n";
  }
  bool failed = !report.stale.empty();
  for (const CaseReport& c : report.cases) failed = failed || IsFailure(c.verdict);
  std::cout << ClosingLine(report);
  return failed ? kDoesNot : kConforms;
}

int SelfCheck(const ConformOptions& options) {
  Subject right;
  std::string name;
  if (const int status = Load(options, &right, &name); status != 0) return status;
  const SelfCheckResult result = RunSelfCheck(right, name);
  std::cout << SelfCheckText(result);
  return result.ok ? kConforms : kSelfCheckFailed;
}

// The unpatched implementation first: if the suite notices that, it is wrong itself.
int Mutants(const ConformOptions& options) {
  const absl::StatusOr<std::vector<Mutant>> mutants = LoadMutants(options.patches);
  if (!mutants.ok()) return Fail(kUsage, std::string(mutants.status().message()));
  const absl::StatusOr<GuestRecipe> recipe = ReadGuestRecipe(options.recipe);
  if (!recipe.ok()) return Fail(kSetup, std::string(recipe.status().message()));
  const absl::StatusOr<GuestBuilder> builder = GuestBuilder::Create(*recipe, options.work);
  if (!builder.ok()) return Fail(kSetup, std::string(builder.status().message()));
  const auto print = [](const MutantNotice& notice) {
    std::cout << MutantLine(notice) << std::flush;
  };
  Mutant unmutated;
  unmutated.id = "unmutated";
  const std::vector<MutantNotice> right = RunSuiteOnMutants({unmutated}, *builder, print);
  if (!right[0].complaint.empty() || right[0].noticed()) {
    return Fail(kSelfCheckFailed, "the implementation without a patch does not conform");
  }
  const std::vector<MutantNotice> notices = RunSuiteOnMutants(*mutants, *builder, print);
  std::cout << MutantsClosingLine(notices);
  for (const MutantNotice& notice : notices) {
    if (!notice.complaint.empty()) return kSelfCheckFailed;
  }
  return kConforms;
}

}  // namespace

int RunConform(const ConformOptions& options) {
  if (const std::string wrong = FlagsThatDoNotGoTogether(options); !wrong.empty()) {
    return Fail(kUsage, wrong);
  }
  if (options.list) return List(options.clause);
  if (options.self_check) return SelfCheck(options);
  if (options.mutants) return Mutants(options);
  return Run(options);
}

}  // namespace cancelsafe::conformance
