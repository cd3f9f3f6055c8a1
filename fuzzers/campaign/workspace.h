// The folder that a campaign works in and leaves for the next one:
//
//   corpus/<target>/             inputs as bytes, grown by the engines
//   afl/<target>/<sanitizer>-<n>/  what one instance of AFL++ has in hand
//   slots/<target>-<sanitizer>-<n>/   log and counters of one running target
//   lock                         held while a campaign runs
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_WORKSPACE_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_WORKSPACE_H_

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "fuzzers/campaign/options.h"

namespace cancelsafe {

class Workspace {
 public:
  // Makes and checks the folders, and takes the lock. Every error is one line
  // that names the folder and the reason: read-only, full, in use, not there.
  static absl::StatusOr<std::unique_ptr<Workspace>> Open(const CampaignOptions& options);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Converts the seeds and regressions of a target to bytes, into its corpus
  // folder. Returns how many there are. The error names the file and line.
  absl::StatusOr<int> AddSeeds(const FuzzTarget& target);

  // Adds an input to the corpus of a target under a name made of `prefix` and its
  // contents. False if it is there already.
  absl::StatusOr<bool> AddInput(const FuzzTarget& target, const std::string& prefix,
                                const std::string& bytes);

  // Whether this is the first time that the campaign asks about a finding with this key.
  bool IsNews(const std::string& key) { return keys_.insert(key).second; }

  // Whether there is still room: an engine that cannot save its corpus is silent.
  absl::Status Check() const;

  std::string CorpusFolder(const FuzzTarget& target) const;
  // Number of files; 0 if the folder is not there.
  int CorpusSize(const FuzzTarget& target) const;
  // The folder of a slot, made anew if needed.
  absl::StatusOr<std::string> MakeSlotFolder(const std::string& slot_name);

 private:
  // Where an input of these bytes lies.
  std::string InputName(const FuzzTarget& target, const std::string& prefix,
                        const std::string& bytes) const;

  Workspace(const CampaignOptions& options, int lock) : options_(options), lock_(lock) {}

  const CampaignOptions& options_;
  const int lock_;
  std::set<std::string> keys_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_WORKSPACE_H_
