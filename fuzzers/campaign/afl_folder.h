// What one instance of AFL++ keeps in its folder, as far as a campaign wants to know.
// Reads only.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_AFL_FOLDER_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_AFL_FOLDER_H_

#include <string>
#include <vector>

namespace cancelsafe {

// The inputs in "queue", "crashes" or "hangs" of an instance: paths in the order in
// which they were found; none if there is no such folder.
std::vector<std::string> AflInputs(const std::string& instance, const std::string& part);
int CountAflInputs(const std::string& instance, const std::string& part);

// Whether an input of the queue is the instance's own, and neither one that it was
// given nor one that it took from another instance.
bool IsOwnFind(const std::string& path);

// "06" of "crashes/id:000000,sig:06,src:...", or "".
std::string SignalOf(const std::string& path);

// The value of one line of fuzzer_stats, "100.00%" of "stability", or "".
std::string FuzzerStat(const std::string& instance, const std::string& name);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_AFL_FOLDER_H_
