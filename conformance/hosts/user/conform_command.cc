// cancelsafe conform: the command line of the conformance suite. What it does is in
// conform_run.cc.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/shell_word.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "conformance/hosts/user/conform_run.h"
#include "impl/guest_points.h"
#include "impl/image_format.h"

namespace cancelsafe::conformance {
namespace {

int Run(ConformOptions* options) {
  if (options->mutants) {
    // How mutants are compiled is written down when a build is configured.
    options->patches = TreeRoot() + "/fuzzers/mutants/patches";
    options->recipe = TreeRoot() + "/build/dev/fuzzers/mutants/guest.txt";
    options->work = TreeRoot() + "/build/dev/conformance/mutants";
  }
  ContinueUnder("", "none", options->implementation);
  // Of a shared object, where a schedule can switch does not matter here.
  if (IsImageFile(options->implementation)) {
    WarnOfRoutinesWithoutPoints(options->implementation, false);
  }
  const int status = RunConform(*options);
  std::cout.flush();
  const bool judged_here = !options->list && !options->self_check && !options->mutants &&
                           options->host.empty() && options->results.empty();
  if (status == kExitOk && judged_here) {
    printf("That was one thread: nothing was run on two processors. Now: %s fuzz%s\n",
           FrontDoor().c_str(),
           options->implementation.empty()
               ? ""
               : absl::StrCat(" --implementation ", ShellWord(options->implementation)).c_str());
    fflush(stdout);
  }
  return status;
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<ConformOptions>();
  AddText(app, "--implementation", &options->implementation, "FILE",
          "the shared object, or PE image (.dll), to check instead of the built-in implementation");
  AddText(app, "--name", &options->name, "NAME", "what reports call it (the file's name)");
  AddChoice(app, "--host", &options->host, {"user", "wine"},
            "wine: run the suite as a kernel driver under Wine (user)");
  AddText(app, "--results", &options->results, "FILE",
          "judge a TAP file that another host wrote, and run nothing");
  AddText(app, "--clause", &options->clause, "GLOB",
          "only cases with a matching clause or id: 'CSQ-INSERT-*'");
  AddText(app, "--expectations", &options->expectations, "FILE",
          "what is known of this implementation; strict both ways");
  AddText(app, "--write-expectations", &options->write_expectations, "FILE",
          "write what would be expected after this run, to be completed by hand");
  AddText(app, "--report", &options->report, "DIR",
          "write junit.xml, report.tap, .jsonl, .md and .html there");
  AddTexts(app, "--compare", &options->compare, "FILE.jsonl",
           "put an earlier report beside this one in the page; may be repeated");
  AddSwitch(app, "--list", &options->list, "print the cases and their clauses, and run nothing");
  AddSwitch(app, "--self-check", &options->self_check,
            "check the suite itself with deliberately wrong implementations; what "
            "--implementation names is then taken to be right");
  AddSwitch(app, "--mutants", &options->mutants,
            "which known bugs of fuzzers/mutants the suite notices");
  return [options] {
    if (options->host == "user") options->host.clear();
    return Run(options.get());
  };
}

const RegisterSubcommand registered(
    {"conform", SubcommandGroup::kFind, "check an implementation against the documented clauses",
     "",
     "Runs the conformance suite against an implementation, and prints a table per routine and, "
     "for each failed case, the clause, its documentation page, and the expected and seen "
     "callbacks side by side. In the end a line says whether the implementation conforms.",
     "Exit status 4: the check of the suite itself failed.", &Declare});

}  // namespace
}  // namespace cancelsafe::conformance
