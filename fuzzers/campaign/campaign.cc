// See campaign.h.
#include "fuzzers/campaign/campaign.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/process.h"
#include "base/signals.h"
#include "fuzzers/campaign/campaign_json.h"
#include "fuzzers/campaign/display.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/slot.h"
#include "fuzzers/campaign/workspace.h"

namespace cancelsafe {
namespace {

// The end of a child shows as the end of its output, unless it left something
// behind that holds the pipe; so look now and then in any case.
constexpr int kPollMilliseconds = 100;

class Campaign {
 public:
  Campaign(const CampaignOptions& options, Workspace* workspace, FILE* out,
           const FindingList& before)
      : options_(options),
        before_(before),
        workspace_(*workspace),
        table_(MakeTimeTable(options)),
        out_(out),
        display_(out, TerminalColumns(out)) {
    int pair = 0;
    for (const FuzzTarget* target : options.targets) {
      bool first = true;
      for (const CampaignSanitizer* sanitizer : options.sanitizers) {
        const int copies = table_.copies + (pair++ < table_.extra ? 1 : 0);
        for (int copy = 0; copy < copies; ++copy, first = false) {
          const SlotId id = {target, sanitizer, copy, first};
          slots_.push_back(std::make_unique<Slot>(id, options, workspace));
        }
      }
    }
  }

  absl::Status CheckBinaries() const {
    for (const auto& slot : slots_) {
      for (const std::string& path : slot->Programs()) {
        if (access(path.c_str(), X_OK) == 0) continue;
        return absl::NotFoundError(absl::StrCat("cannot run ", path, ": ", strerror(errno)));
      }
    }
    return absl::OkStatus();
  }

  void Announce(int seeds) const {
    const std::string each = options_.schedules > 0 ? absl::StrCat(options_.schedules, " schedules")
                                                    : absl::StrCat(table_.slot_seconds, " s");
    if (options_.targets.front()->is_driver()) {
      const std::string& sanitizer = options_.sanitizers.front()->name;
      fprintf(out_, "Fuzzing %s %s, %s for each of %zu processes.\n",
              options_.targets.front()->driver.c_str(),
              sanitizer == "none" ? "without sanitizer" : absl::StrCat("under ", sanitizer).c_str(),
              each.c_str(), slots_.size());
      fflush(out_);
      return;
    }
    fprintf(out_, "Fuzzing %zu targets under %s, %s for each, %d at a time; %d seeds.\n",
            options_.targets.size(),
            absl::StrJoin(options_.sanitizers, " and ",
                          [](std::string* text, const auto* row) { *text += row->name; })
                .c_str(),
            each.c_str(), std::min<int>(options_.jobs, static_cast<int>(slots_.size())), seeds);
    if (table_.too_long) {
      fprintf(out_, "Note: %d s are too short for %zu slots; each gets 1 s.\n", options_.seconds,
              slots_.size());
    }
    fflush(out_);
  }

  // Until every slot has ended, or a signal asks to stop.
  absl::Status Run() {
    const StopSignals signals;
    absl::Status status;
    size_t next = 0;
    for (;;) {
      const double now = SecondsNow();
      if (!stopping_ && signals.Take()) {
        interrupted_ = true;
        stopping_ = true;
      }
      int running = 0;
      for (const auto& slot : slots_) {
        if (stopping_) slot->Stop(now);
        slot->Advance(now);
        if (options_.stops_at_first && !slot->findings().empty()) stopping_ = true;
        running += slot->state() == SlotState::kRunning ? 1 : 0;
      }
      for (; !stopping_ && running < options_.jobs && next < slots_.size(); ++next, ++running) {
        status = slots_[next]->Start(table_.slot_seconds, now);
        if (!status.ok()) stopping_ = cannot_start_ = true;
      }
      Show(now);
      if (running == 0 && (stopping_ || next == slots_.size())) break;
      Wait(signals);
    }
    display_.Close();
    return status;
  }

  // The table and what was found; the same as JSON.
  std::string Summarize() {
    // Confirming and minimising take minutes: stopping them must not cost the summary.
    const StopSignals signals;
    FindingList findings = before_;
    for (const auto& slot : slots_) {
      for (const Finding& finding : slot->findings()) findings.Add(finding);
    }
    const std::vector<SlotStatus> statuses = Statuses(SecondsNow());
    for (Finding& finding : *findings.mutable_all()) {
      if (options_.refine && !interrupted_) options_.refine(&finding);
      interrupted_ |= signals.Take();
    }
    Print(findings, statuses);
    return CampaignJson(options_, statuses, findings, ExitCode());
  }

  void Print(const FindingList& findings, const std::vector<SlotStatus>& statuses) const {
    fprintf(out_, "\n%s\n%s\n%s", SummaryTable(statuses).c_str(), WorkTable(statuses).c_str(),
            DescribeFindings(findings).c_str());
    for (const auto& slot : slots_) {
      const SlotStatus status = slot->Status(0);
      if (!slot->remark().empty()) {
        fprintf(out_, "Note on %s_fuzzer (%s): %s\n", status.target.c_str(),
                status.sanitizer.c_str(), slot->remark().c_str());
      }
      if (slot->state() != SlotState::kNotRun) continue;
      fprintf(out_, "%s_fuzzer (%s) could not run: %s\n", status.target.c_str(),
              status.sanitizer.c_str(), slot->complaint().c_str());
    }
    if (!options_.guest.ignore.empty()) {
      fprintf(out_, "Left out by --ignore: %s\n",
              absl::StrJoin(options_.guest.ignore, ", ").c_str());
    }
    if (!options_.known.empty()) {
      fprintf(out_, "Left out by the engines, as files of the corpus show it: %s\n",
              absl::StrJoin(options_.known, ", ").c_str());
    }
    const absl::Status room = workspace_.Check();
    if (!room.ok()) {
      fprintf(out_, "Warning: %s. The corpus is not complete.\n",
              std::string(room.message()).c_str());
    }
    if (interrupted_) {
      fprintf(out_, "Interrupted. The corpus is in %s; the same command goes on from there.\n",
              options_.work.c_str());
    }
    fflush(out_);
  }

  CampaignExit ExitCode() const {
    if (interrupted_) return kCampaignInterrupted;
    CampaignExit code = !before_.empty() ? kCampaignViolation
                        : cannot_start_  ? kCampaignSetup
                                         : kCampaignClean;
    for (const auto& slot : slots_) {
      if (!slot->findings().empty()) return kCampaignViolation;
      if (slot->state() == SlotState::kNotRun && before_.empty()) code = kCampaignSetup;
    }
    return code;
  }

 private:
  std::vector<SlotStatus> Statuses(double now) const {
    std::vector<SlotStatus> statuses;
    statuses.reserve(slots_.size());
    for (const auto& slot : slots_) statuses.push_back(slot->Status(now));
    return statuses;
  }

  void Show(double now) {
    int ended = 0;
    for (const auto& slot : slots_) {
      ended += slot->state() != SlotState::kWaiting && slot->state() != SlotState::kRunning ? 1 : 0;
    }
    // Counting the files of the corpus takes a while, so not on every round.
    if (!display_.Due(now) && ended == ended_shown_) return;
    ended_shown_ = ended;
    display_.Update(Statuses(now), now);
  }

  void Wait(const StopSignals& signals) const {
    std::vector<pollfd> files = {{signals.file(), POLLIN, 0}};
    for (const auto& slot : slots_) {
      if (slot->output() >= 0) files.push_back({slot->output(), POLLIN, 0});
    }
    poll(files.data(), files.size(), kPollMilliseconds);
  }

  const CampaignOptions& options_;
  const FindingList& before_;
  const Workspace& workspace_;
  const TimeTable table_;
  FILE* const out_;
  Display display_;
  std::vector<std::unique_ptr<Slot>> slots_;
  int ended_shown_ = 0;
  bool stopping_ = false;
  bool interrupted_ = false;
  bool cannot_start_ = false;  // one of the slots
};

CampaignExit Complain(FILE* error, const absl::Status& status) {
  fprintf(error, "cancelsafe: %s\n", std::string(status.message()).c_str());
  return kCampaignSetup;
}

}  // namespace

TimeTable MakeTimeTable(const CampaignOptions& options) {
  const int pairs = static_cast<int>(options.targets.size() * options.sanitizers.size());
  TimeTable table;
  table.copies = std::max(1, options.jobs / pairs);
  table.extra = options.jobs > pairs ? options.jobs % pairs : 0;
  const int slots = pairs * table.copies + table.extra;
  const int rounds = (slots + options.jobs - 1) / options.jobs;
  table.too_long = rounds > options.seconds;
  table.slot_seconds = std::max(1, options.seconds / rounds);
  return table;
}

CampaignExit RunCampaign(const CampaignOptions& options, FILE* out, FILE* error,
                         const FindingList& before) {
  absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options);
  if (!workspace.ok()) return Complain(error, workspace.status());
  Campaign campaign(options, workspace->get(), out, before);
  absl::Status status = campaign.CheckBinaries();
  if (!status.ok()) return Complain(error, status);
  int seeds = 0;
  for (const FuzzTarget* target : options.targets) {
    const absl::StatusOr<int> count = (*workspace)->AddSeeds(*target);
    if (!count.ok()) return Complain(error, count.status());
    seeds += *count;
  }
  campaign.Announce(seeds);
  AdoptOrphans();
  status = campaign.Run();
  EndOrphans();
  const std::string json = campaign.Summarize();
  if (!status.ok()) Complain(error, status);
  status = WriteCampaignJson(options, json);
  CampaignExit code = campaign.ExitCode();
  // A violation stays one where its report could not be written.
  if (!status.ok()) {
    Complain(error, status);
    if (code != kCampaignViolation) code = kCampaignSetup;
  }
  return code;
}

}  // namespace cancelsafe
