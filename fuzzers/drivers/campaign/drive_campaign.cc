// See drive_campaign.h.
#include "fuzzers/drivers/campaign/drive_campaign.h"

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/campaign/campaign.h"
#include "fuzzers/campaign/minimize_findings.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/memory_run.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kSecondsUsual = 60;

// The program of the target, made if need be.
void PrepareEngine(const DriveCampaignOptions& options, const std::string& preset,
                   CampaignOptions* campaign) {
  const bool afl = options.engine == "afl";
  campaign->engine = afl ? CampaignEngine::kAfl : CampaignEngine::kLibFuzzer;
  if (!InTree()) {
    if (afl) throw UsageError("--engine afl needs a checkout");
    campaign->installed =
        (std::filesystem::path(OwnPath()).parent_path().parent_path() / "libexec/cancelsafe")
            .string();
    return;
  }
  campaign->build = TreePath("build");
  if (std::string(OwnSanitizer()) == "thread") {
    throw UsageError(
        "--sanitizer thread: drivers are fuzzed with an engine under none, address and model; "
        "with --runs N by number here, too");
  }
  if (afl) {
    BuildTargets(preset, {"driver_afl", "cancelsafe_afl_mutator"});
  } else {
    BuildTargets(preset, {"driver_fuzzer"});
  }
}

}  // namespace

int DriveCampaign(const DriveCampaignOptions& options) {
  const DriveSessionOptions& session = options.session;
  // What is wrong with the driver or the flags shows here, once.
  const LoadedDriver loaded = OpenDriver(session.driver, session.implementation, session.profile);
  std::printf("%s", loaded.remarks.c_str());
  RequireRequests(loaded.runner.get());
  static_cast<void>(IgnoredRules(session.ignored));
  if (schedule::MemoryModel model; !session.memory.empty()) {
    const std::string wrong = ReadMemoryModel(session.memory, &model);
    if (!wrong.empty()) throw UsageError(wrong);
  }
  const std::string name = BaseName(session.driver);
  CampaignOptions campaign;
  const CampaignSanitizer sanitizer = {OwnSanitizer(), PresetForTools(OwnSanitizer())};
  PrepareEngine(options, sanitizer.preset, &campaign);
  campaign.work = options.work;
  if (campaign.work.empty()) {
    campaign.work = InTree() ? TreePath("build/drive/" + name) : "cancelsafe-drive/" + name;
  }
  RequireOk(MakeFolder(campaign.work));
  campaign.findings = session.directory;
  campaign.seconds = session.seconds != 0 ? session.seconds
                     : session.runs != 0  ? kSecondsMax
                                          : kSecondsUsual;
  campaign.schedules = session.runs;
  campaign.seed = options.seed;
  campaign.jobs = options.jobs;
  campaign.stops_at_first = !session.keep_going;
  campaign.keep_going = session.keep_going;
  campaign.guest.implementation = session.implementation;
  campaign.guest.memory = session.memory.empty() && memory::kHooked ? "rc11" : session.memory;
  campaign.guest.ignore = session.ignored;
  FuzzTarget target;
  target.name = "driver";
  target.driver = session.driver;
  target.profile = session.profile;
  target.learnt = campaign.work + "/learnt";
  target.input_max = kMaxDriverBytes;
  campaign.targets = {&target};
  campaign.sanitizers = {&sanitizer};
  campaign.refine = [&campaign](Finding* finding) {
    ConfirmFinding(OwnPath(), campaign, finding);
    MinimizeFinding(OwnPath(), campaign, finding);
  };
  std::fflush(stdout);
  return RunCampaign(campaign, stdout, stderr);
}

}  // namespace cancelsafe::drivers
