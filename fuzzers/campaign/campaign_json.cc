// See campaign_json.h.
#include "fuzzers/campaign/campaign_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "oracle/verdict.h"

namespace cancelsafe {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

const char* StateName(SlotState state) {
  switch (state) {
    case SlotState::kWaiting:
    case SlotState::kNotRun:
      return "not-run";
    case SlotState::kRunning:
    case SlotState::kStopped:
      return "stopped";
    case SlotState::kDone:
      return "done";
    case SlotState::kFound:
      return "found";
  }
  return "not-run";
}

Json JsonOf(const SlotStatus& slot) {
  Json skipped = Json::object();
  for (int i = 1; i < kSkipCount; ++i) {
    if (slot.skipped[i] != 0) skipped[SkipReason(static_cast<Skip>(i))] = slot.skipped[i];
  }
  if (slot.left_out != 0) skipped["a caller must not do that at that moment"] = slot.left_out;
  return {{"target", slot.target},
          {"sanitizer", slot.sanitizer},
          {"state", StateName(slot.state)},
          {"seconds", slot.seconds},
          {"runs", slot.runs},
          {"states", slot.states},
          {"corpus", slot.corpus},
          {"operations", slot.operations},
          {"left_out", skipped},
          {"unknown", slot.unknown},
          {"ignored", slot.ignored},
          {"unconfirmed", slot.unconfirmed},
          {"findings", slot.findings}};
}

Json JsonOf(const Finding& finding) {
  Verdict verdict;
  ParseVerdictLine(finding.verdict_line, &verdict);
  return {{"kind", VerdictKindName(verdict.kind)},
          {"severity", SeverityName(verdict.severity)},
          {"clause", verdict.clause},
          {"rule", verdict.rule},
          {"reason", verdict.reason},
          {"cause", finding.key},
          {"sanitizer", finding.sanitizer},
          {"found_by", finding.found_by},
          {"again", finding.again},
          {"saved", finding.saved},
          {"replay", finding.replay},
          {"notes", finding.notes}};
}

}  // namespace

std::string CampaignJson(const CampaignOptions& options, const std::vector<SlotStatus>& slots,
                         const FindingList& findings, int exit_status) {
  Json json = {{"cancelsafe_fuzz", kVersion},
               {"exit_status", exit_status},
               {"implementation", options.guest.implementation},
               {"ignored", options.guest.ignore},
               {"known", options.known},
               {"slots", Json::array()},
               {"findings", Json::array()}};
  for (const SlotStatus& slot : slots) json["slots"].push_back(JsonOf(slot));
  for (const Finding& finding : findings.all()) json["findings"].push_back(JsonOf(finding));
  // What an implementation writes over may come out as something else than UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status WriteCampaignJson(const CampaignOptions& options, const std::string& json) {
  if (options.json.empty()) return absl::OkStatus();
  if (options.json != "-") return WriteFileAtomically(options.json, json);
  fwrite(json.data(), 1, json.size(), stdout);
  return FlushStandardOutput();
}

}  // namespace cancelsafe
