// See corpus_replay.h.
#include "fuzzers/campaign/corpus_replay.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "command/status.h"

namespace cancelsafe {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
// A run takes microseconds. One that has not ended after this time hangs, and the user is
// told before the campaign's time is over.
constexpr int kFileSecondsMax = 5;
constexpr int kSecondsToTell = 3;

std::vector<std::string> CorpusFiles(const CampaignOptions& options, const FuzzTarget& target) {
  std::vector<std::string> files;
  for (const char* part : {"seeds", "regressions"}) {
    for (std::string& path :
         FilesIn(absl::StrCat(options.corpus, "/", target.name, "_fuzzer/", part))) {
      files.push_back(std::move(path));
    }
  }
  return files;
}

}  // namespace

CorpusEnd ReplayCorpus(const CampaignOptions& options, const std::vector<std::string>& programs,
                       const StopSignals& stop, FILE* out) {
  CorpusEnd worst = CorpusEnd::kPassed;
  const int file_seconds = std::clamp(options.seconds - kSecondsToTell, 1, kFileSecondsMax);
  for (size_t i = 0; i < options.sanitizers.size(); ++i) {
    for (const FuzzTarget* target : options.targets) {
      const std::vector<std::string> files = CorpusFiles(options, *target);
      fprintf(out, "Corpus of %s (%s): %s", target->name.c_str(),
              options.sanitizers[i]->name.c_str(), files.empty() ? "empty\n" : "");
      fflush(out);
      if (files.empty()) continue;
      std::vector<std::string> command = {programs[i],
                                          "replay",
                                          "--quiet",
                                          "--sanitizer",
                                          options.sanitizers[i]->name,
                                          "--file-seconds",
                                          absl::StrCat(file_seconds)};
      const GuestFlags guest = options.guest.Under(options.sanitizers[i]->name);
      for (std::string& word : guest.AsWords()) command.push_back(std::move(word));
      command.insert(command.end(), files.begin(), files.end());
      std::string output;
      const absl::StatusOr<ChildEnd> end = RunProcess(
          command, kNoLimit,
          [&](absl::string_view text) {
            absl::StrAppend(&output, text);
            fwrite(text.data(), 1, text.size(), out);
            fflush(out);
          },
          {}, &stop);
      if (!end.ok()) {
        fprintf(out, "%s\n", std::string(end.status().message()).c_str());
        return CorpusEnd::kSetup;
      }
      if (end->stopped) return CorpusEnd::kInterrupted;
      if (absl::StrContains(output, "VERDICT livelock (time-out)")) return CorpusEnd::kHangs;
      if (end->status.clean()) continue;
      const bool failed = !end->status.signaled && end->status.code == kExitViolation;
      worst = std::max(worst, failed ? CorpusEnd::kFailed : CorpusEnd::kSetup);
    }
  }
  return worst;
}

std::string DescribeCorpusEnd(CorpusEnd end, const CampaignOptions& options) {
  const std::string guest =
      options.guest.implementation.empty() ? "the implementation" : options.guest.implementation;
  const std::string why =
      absl::StrCat("\nWhy:              ./cancelsafe replay", options.guest.AsText(), " FILE");
  switch (end) {
    case CorpusEnd::kPassed:
      return "";
    case CorpusEnd::kFailed:
      if (options.guest.implementation.empty()) {
        return "files of the corpus do not pass (above): a known bug is back; nothing was fuzzed";
      }
      return absl::StrCat(guest, " fails files of the corpus (above); nothing was fuzzed.", why,
                          "\nTo fuzz all the same, leave out what is known: --ignore with the "
                          "rule or the clause.");
    case CorpusEnd::kHangs:
      return absl::StrCat(guest, " hangs in a file of the corpus (above); nothing was fuzzed.",
                          why);
    case CorpusEnd::kSetup:
      return "the corpus could not be replayed (above); nothing was fuzzed";
    case CorpusEnd::kInterrupted:
      return "interrupted while the corpus was replayed; nothing was fuzzed";
  }
  return "";
}

}  // namespace cancelsafe
