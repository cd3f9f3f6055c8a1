// See replay_options.h.
#include "fuzzers/tools/replay_options.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace cancelsafe {
namespace {

constexpr char kHelp[] = R"(usage: cancelsafe-replay [flags] FILE...

Replays programs (text or bytes, from any engine), says what is wrong with each and
how it came about.

)";
constexpr char kOwnFlagsHelp[] =
    R"(  --repeat N                run each program N times and compare the digests
  --until STEP              stop before this step of the schedule; under a debugger
                            it is stopped on the fiber that is about to go on
  --minimize OUT            write the smallest program that still fails like this,
                            with a header, for corpus/<target>/regressions
  --date DATE               the date in that header (default: today)
  --test OUT.cc             write a GoogleTest of the steps and their interleaving
  --html OUT                write a page that shows the run
  --trace OUT.json          write the run in the Chrome trace format, for Perfetto
  --digest                  print the digest of each run
  --quiet                   print only files that do not pass, and a summary

Exit status: 0 all passed, 1 a violation, 2 wrong usage or an unreadable file,
3 the implementation could not be loaded, or a file not written.
)";

}  // namespace

std::string Today() {
  const time_t now = time(nullptr);
  tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

ReplayOptions ReadReplayOptions(ToolFlags* flags) {
  ReplayOptions options;
  std::string flag;
  while (flags->Next(&flag)) {
    if (flag == "--help") {
      printf("%s%s%s", kHelp, kSharedFlagsHelp, kOwnFlagsHelp);
      exit(0);
    } else if (flag == "--digest") {
      options.digest = true;
    } else if (flag == "--quiet") {
      options.quiet = true;
    } else if (flag == "--repeat") {
      options.repeat = flags->Number(flag, 1);
    } else if (flag == "--until") {
      options.until = static_cast<int>(flags->Number(flag, 0));
    } else if (flag == "--minimize") {
      options.minimize = flags->Value(flag);
    } else if (flag == "--date") {
      options.date = flags->Value(flag);
    } else if (flag == "--test") {
      options.test = flags->Value(flag);
    } else if (flag == "--html") {
      options.html = flags->Value(flag);
    } else if (flag == "--trace") {
      options.trace = flags->Value(flag);
    } else {
      flags->FailUnknown(flag);
    }
  }
  if (flags->files().empty()) flags->Fail(kExitUsage, "no file named; see --help");
  if (flags->files().size() > 1 && (options.until >= 0 || options.writes_files())) {
    flags->Fail(kExitUsage,
                "--until, --minimize, --test, --html and --trace take one file at a time");
  }
  return options;
}

}  // namespace cancelsafe
