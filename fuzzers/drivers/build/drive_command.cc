// cancelsafe drive: builds a driver from its sources, looks at one for the first time, and fuzzes
// it.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "fuzzers/drivers/build/drive_check.h"
#include "fuzzers/drivers/build/driver_builder.h"
#include "fuzzers/drivers/campaign/drive_campaign.h"
#include "fuzzers/drivers/fuzz/drive_benchmark.h"
#include "fuzzers/drivers/fuzz/drive_session.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/world/services.h"

namespace cancelsafe {
namespace {

struct DriveOptions {
  std::vector<std::string> words;
  std::string output;
  std::vector<std::string> definitions;
  std::vector<std::string> includes;
  bool plain = false;
  bool dll = false;
  drivers::DriveSessionOptions session;
  std::string sanitizer;
  drivers::DriveCampaignOptions campaign;
  std::string engine;
  bool benchmark = false;
  std::function<bool()> seed_given;
};

void RequireSource(const std::string& source) {
  const bool is_source = absl::EndsWith(source, ".c") || absl::EndsWith(source, ".cc") ||
                         absl::EndsWith(source, ".cpp");
  if (!is_source) {
    throw UsageError(absl::StrCat("build: '", source, "' is not a source (.c, .cc, .cpp)"));
  }
  if (access(source.c_str(), R_OK) != 0) {
    throw UsageError(absl::StrCat("build: ", source, ": ", strerror(errno)));
  }
}

int Build(const DriveOptions& options, const std::vector<std::string>& sources) {
  if (sources.empty()) throw UsageError("build: name the driver's sources (.c, .cc, .cpp)");
  if (options.output.empty()) {
    throw UsageError(
        absl::StrCat("build: --output FILE.", options.dll ? "dll" : "sys", " is missing"));
  }
  for (const std::string& source : sources) RequireSource(source);
  drivers::DriverBuildOptions build;
  build.sources = sources;
  build.output = options.output;
  build.definitions = options.definitions;
  build.includes = options.includes;
  build.instrument = !options.plain;
  build.dll = options.dll;
  build.gap_headers = TreePath("impl/include/windows");
  const absl::Status status = drivers::BuildDriver(build);
  if (absl::IsInvalidArgument(status)) {
    fprintf(stderr, "cancelsafe drive build: %s\n", std::string(status.message()).c_str());
    return kExitSetup;
  }
  RequireOk(status);
  printf("%s\n", options.output.c_str());
  return kExitOk;
}

// What is known of a driver when programs for it are made: learnt, and said by its profile.
std::string Learnt(const std::string& driver, const std::string& named_profile) {
  const drivers::LoadedDriver loaded = drivers::OpenDriver(driver, "", named_profile);
  const drivers::DriverFacts facts = loaded.runner->Learn();
  std::string text = absl::StrCat("learnt: ", facts.reads ? "reads, " : "no reads, ",
                                  facts.writes ? "writes, " : "no writes, ",
                                  facts.controls ? "device control" : "no device control");
  if (facts.controls) {
    absl::StrAppend(&text, facts.codes.empty() ? ", no codes among the constants" : ", codes");
    for (const uint32_t code : facts.codes) absl::StrAppend(&text, " 0x", absl::Hex(code));
    if (facts.codes_left_out != 0) {
      absl::StrAppend(&text, "\n", drivers::LeftOutCodesText(facts));
    }
  }
  text += "\n";
  if (loaded.profile == nullptr) return text + "profile: none\n";
  absl::StrAppend(&text, "profile: ", loaded.profile->path, "\n");
  for (absl::string_view line :
       absl::StrSplit(drivers::DescribeProfile(*loaded.profile), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

int Check(const std::vector<std::string>& files, const std::string& profile) {
  if (files.empty()) throw UsageError("check: name a driver (.sys)");
  int exit_status = kExitOk;
  for (const std::string& file : files) {
    const drivers::DriveCheck check = drivers::CheckDriver(file);
    if (!check.loaded) throw UsageError(check.text);
    printf("%s\n%s%s%s\n", file.c_str(), check.text.c_str(), Learnt(file, profile).c_str(),
           check.complete ? "complete" : "not complete");
    if (!check.complete) exit_status = kExitViolation;
  }
  return exit_status;
}

int List() {
  for (const drivers::Service* service : drivers::AllServices()) {
    printf("%s%s\n", service->name, service->is_data ? " (variable)" : "");
  }
  return kExitOk;
}

int Fuzz(const DriveOptions& options, const std::string& driver) {
  drivers::DriveSessionOptions session = options.session;
  session.driver = driver;
  if (options.benchmark) return drivers::DriveBenchmark(session);
  if (options.engine == "numbers" || (options.engine.empty() && session.runs != 0)) {
    return drivers::DriveFuzzSession(session);
  }
  drivers::DriveCampaignOptions campaign = options.campaign;
  campaign.session = session;
  if (!options.engine.empty()) campaign.engine = options.engine;
  if (options.seed_given()) campaign.seed = session.seed;
  if (campaign.engine == "afl" && (session.runs != 0 || options.seed_given())) {
    throw UsageError("--runs and --seed need --engine libfuzzer or numbers: AFL++ has neither");
  }
  return drivers::DriveCampaign(campaign);
}

int Run(const DriveOptions& options) {
  const std::string verb = options.words.empty() ? "" : options.words[0];
  const std::vector<std::string> rest(options.words.begin() + (verb.empty() ? 0 : 1),
                                      options.words.end());
  if (verb == "build") return Build(options, rest);
  const bool wants_engine = options.sanitizer.empty() && !options.session.memory.empty();
  ContinueUnder(wants_engine ? "model" : options.sanitizer, "none", "");
  if (verb == "check") return Check(rest, options.session.profile);
  if (verb == "services") return List();
  if (verb.empty() || !rest.empty()) {
    throw UsageError(absl::StrCat(
        verb.empty() ? ""
        : absl::EndsWith(verb, ".sys")
            ? absl::StrCat("one driver at a time, and ", options.words.size(), " are named; ")
            : absl::StrCat("'", verb, "' is not a command; "),
        "expected build SOURCE..., check FILE.sys..., services, or one FILE.sys to fuzz"));
  }
  return Fuzz(options, verb);
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<DriveOptions>();
  AddText(app, "-o,--output", &options->output, "FILE", "of build: the driver");
  AddTexts(app, "-D,--define", &options->definitions, "NAME[=VALUE]", "of build: a macro");
  AddTexts(app, "-I,--include", &options->includes, "DIR", "of build: a folder of headers");
  AddSwitch(app, "--plain", &options->plain,
            "of build: without instrumentation, as other compilers build it");
  AddSwitch(app, "--dll", &options->dll,
            "of build: an implementation of documented routines instead of a driver, for "
            "--implementation of conform, fuzz and others; it is compiled against impl/include");
  drivers::DriveSessionOptions& session = options->session;
  AddChoice(
      app, "--engine", &options->engine, {"libfuzzer", "afl", "numbers"},
      "of fuzzing: libfuzzer or AFL++, which learn from coverage and comparisons, or programs "
      "by number in this process, the same for one seed (libfuzzer; with --runs: numbers)");
  AddNumber(app, "--runs", &session.runs, 1, INT_MAX,
            "of fuzzing: schedules, at most; of libfuzzer for each process, at least");
  AddNumber(app, "--seconds", &session.seconds, 1, 30 * 86400,
            "of fuzzing: at most (60, unless --runs is given)");
  AddNumber(app, "--seed", &session.seed, 0, INT_MAX,
            "of fuzzing: the first random seed (1; of libfuzzer by the clock)");
  options->seed_given = [app] { return IsGiven(app, "--seed"); };
  options->campaign.jobs = ProcessorCount();
  AddJobs(app, &options->campaign.jobs,
          "of fuzzing with an engine: processes at the same time (as many as there are "
          "processors)");
  AddWork(app, &options->campaign.work, "the growing corpus, what was learnt, and the logs",
          "build/drive/FILE.sys");
  AddSwitch(app, "--benchmark", &options->benchmark,
            "print how many schedules a second the driver is run under, and what a run costs "
            "before it begins");
  AddSwitch(
      app, "--keep-going", &session.keep_going,
      "of fuzzing: go on after a finding; each cause is saved once, under an engine each rule");
  AddTexts(app, "--ignore", &session.ignored, "RULE", "of fuzzing: leave a rule or clause out");
  AddText(app, "--implementation", &session.implementation, "FILE",
          "shared object or PE image with the queue routines that the driver calls (the built-in "
          "ones)");
  AddText(app, "--profile", &session.profile, "FILE",
          "of fuzzing and check: which requests make sense, and their order (NAME.profile beside "
          "NAME.sys, if there is one)");
  AddChoice(app, "--memory", &session.memory, {"sc", "tso", "rc11"},
            "of fuzzing: what a load may return: the newest store, what x86 shows, or what C++ "
            "allows (rc11); in the model build, which it asks for");
  AddSanitizer(app, &options->sanitizer, "none; with --memory: model");
  AddText(app, "--directory", &session.directory, "DIR",
          "of fuzzing: findings are saved there (drive-findings)");
  AddArguments(app, "build SOURCE... | check FILE.sys... | services | FILE.sys", &options->words);
  return [options] { return Run(*options); };
}

const RegisterSubcommand registered(
    {"drive", SubcommandGroup::kFind, "build, check and fuzz Windows drivers (.sys)",
     "build SOURCE... | check FILE.sys... | services | FILE.sys",
     "The commands:\n"
     "  build SOURCE...     compile a driver for Windows with the DDK's headers of mingw-w64, "
     "instrumented, and link it\n"
     "  check FILE.sys...   load it into this process, send one request of each kind, one after "
     "the other, unload it, and list the imports that are missing and the resources that were not "
     "released\n"
     "  services            list the routines that drivers may import\n"
     "  FILE.sys            fuzz it; 'cancelsafe replay' shows what is saved",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
