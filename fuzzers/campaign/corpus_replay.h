// Before anything is fuzzed: the committed corpus, replayed under every sanitizer of a
// campaign. A file that does not pass is a finding like those of the engines, which go on
// from there and leave its cause out.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/signals.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "oracle/verdict.h"

namespace cancelsafe {

enum class CorpusEnd {
  kPassed,
  kFailed,       // see the findings
  kSetup,        // some could not be run
  kInterrupted,  // the user asked to stop
};

struct CorpusResult {
  CorpusEnd end = CorpusEnd::kPassed;
  FindingList findings;             // one per cause, however many files show it
  std::vector<std::string> ignore;  // what the engines leave out, in the words of --ignore
  // Files that would take the process of an engine down as well.
  std::vector<std::string> fatal;
  // Where a file never ends: those after it were not replayed, and the target is not fuzzed.
  std::vector<const FuzzTarget*> hanging;
};

// What a line of a replay says of a file that does not pass: "FILE: VERDICT ...". False for
// other lines, and for one that quotes the verdict of the file's header.
bool ParseReplayLine(absl::string_view line, std::string* file, Verdict* verdict);

// The verdict, as a line, of a file that was replayed; "no violation" where it passes, whatever
// its header says.
std::string VerdictLineOfReplay(absl::string_view output);

// Replays the files of each target in the program of each build (`programs`, in the order
// of the campaign's sanitizers), and prints what does not pass. A run has a part of the
// campaign's time.
CorpusResult ReplayCorpus(const CampaignOptions& options, const std::vector<std::string>& programs,
                          const StopSignals& stop, FILE* out);

// What the user has to know of such a result, "" if everything passed.
std::string DescribeCorpusResult(const CorpusResult& result, const CampaignOptions& options);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_
