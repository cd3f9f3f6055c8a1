// Before anything is fuzzed: the committed corpus, replayed under every sanitizer of a
// campaign. A file that does not pass is a bug that is known already.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_

#include <cstdio>
#include <string>
#include <vector>

#include "base/signals.h"
#include "fuzzers/campaign/options.h"

namespace cancelsafe {

enum class CorpusEnd {
  kPassed,
  kFailed,
  kHangs,        // a file never ended; those after it were not replayed
  kSetup,        // some could not be run
  kInterrupted,  // the user asked to stop
};

// Replays the files of each target in the program of each build (`programs`, in the order
// of the campaign's sanitizers), and prints what does not pass. Ends with the first file
// that hangs, for which a run has a part of the campaign's time.
CorpusEnd ReplayCorpus(const CampaignOptions& options, const std::vector<std::string>& programs,
                       const StopSignals& stop, FILE* out);

// What the user has to know of such an end, "" after kPassed.
std::string DescribeCorpusEnd(CorpusEnd end, const CampaignOptions& options);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_CORPUS_REPLAY_H_
