// Keeps the corpus that campaigns grow as small as it can be without losing anything that
// it covers. libFuzzer does the merging.
#ifndef CANCELSAFE_FUZZERS_TOOLS_CORPUS_PRUNE_H_
#define CANCELSAFE_FUZZERS_TOOLS_CORPUS_PRUNE_H_

#include <string>
#include <vector>

namespace cancelsafe {

// Merges the corpus of each target in a campaign's work folder (of all that are there, if
// none is named) into a new folder, smallest inputs first, and puts that in the place of
// the old one; an interruption leaves the old one. The exit status: kExitViolation if a
// merge failed or was not whole, and that corpus is as it was. Throws SetupError if the folder has
// no corpus, or a campaign is running there.
int PruneCorpus(const std::string& work, std::vector<std::string> targets);

// Whether every input in the folder `merged` is one of `folder`, cut to what a merge reads. An
// engine does not look at whether its files could be written: on a full disk they are short.
bool IsWholeMerge(const std::string& merged, const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_CORPUS_PRUNE_H_
