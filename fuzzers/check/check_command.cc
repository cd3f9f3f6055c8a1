// cancelsafe check: the command line. The check itself is check_run.cc.
#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "base/process.h"
#include "command/flags.h"
#include "command/status.h"
#include "command/subcommand.h"
#include "fuzzers/check/check_run.h"
#include "fuzzers/check/parts.h"
#include "fuzzers/tools/ignored.h"

namespace cancelsafe {
namespace {

struct Options {
  CheckRequest check;
  int jobs = 0;  // 0: as many as there are processors
  std::string part;
};

int Run(Options* options) {
  if (!options->part.empty()) return RunPart(options->part);
  if (options->check.files.empty()) {
    throw UsageError("name the sources (.c, .cc) or the shared object of an implementation");
  }
  IgnoreSetOf(options->check.ignore);
  options->check.jobs = options->jobs == 0 ? ProcessorCount() : options->jobs;
  return RunCheck(options->check);
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  AddText(app, "--report", &options->check.report, "DIR",
          "causes.json, .sarif, .xml (JUnit), .md and .html, the programs, variants and "
          "conformance reports go there (build/check)");
  AddText(app, "--baseline", &options->check.baseline, "FILE",
          "causes that are known: they take one line, and what is new or gone decides the exit "
          "status");
  AddText(app, "--write-baseline", &options->check.write_baseline, "FILE",
          "write the causes of this run as a baseline");
  AddSeconds(app, &options->check.seconds,
             "how long to search where nothing is found; with findings up to twice that");
  AddNumber(app, "--runs", &options->check.runs, 1, INT_MAX,
            "programs of each round of each part (1200); nothing goes on past them then");
  AddJobs(app, &options->jobs, "parts at the same time (processors)");
  AddSwitch(app, "--strict", &options->check.strict,
            "hold it to the built-in implementation's choices where the documentation leaves some");
  AddTexts(app, "--ignore", &options->check.ignore, "RULE", "leave out a rule or clause");
  AddSanitizers(app, &options->check.sanitizers, "all");
  AddSwitch(app, "--annotations", &options->check.annotations,
            "print what is new as annotations of GitHub's workflows too, with paths below the "
            "current folder");
  AddTexts(app, "--flag", &options->check.flags, "FLAG",
           "a flag for the compiler, such as --flag=-I../include; may be repeated");
  AddText(app, "--part", &options->part, "PLAN", "be one part (what check starts itself with)");
  AddArguments(app, "FILE", &options->check.files);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"check", SubcommandGroup::kFind, "list the causes of all that is wrong with an implementation",
     "FILE...",
     "Builds the sources named in every variant (or takes a shared object as it is), runs the "
     "conformance suite, the seeds and generated programs on it under every sanitizer, goes on "
     "after every failure, and lists causes: one block each, worst first, with its shortest "
     "program and the command that replays it.",
     "Exit status 1: there is a cause, or, with --baseline, one that is new or gone; 3: something "
     "could not be run, or went wrong and did not happen again when its program was run alone; "
     "130: "
     "interrupted, and no baseline was written.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
