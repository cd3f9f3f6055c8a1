// See hosted_tool.h.
#include "fuzzers/tools/hosted_tool.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "fuzzers/tools/crash_report.h"

namespace cancelsafe {
namespace {

int StatusOf(const char* subcommand, const std::function<int()>& body) {
  const auto complain = [subcommand](const std::string& message, int status) {
    fprintf(stderr, "cancelsafe %s: %s\n", subcommand, message.c_str());
    return status;
  };
  int status = kExitOk;
  try {
    status = body();
  } catch (const SetupError& error) {
    return complain(error.what(), kExitSetup);
  } catch (const UsageError& error) {
    return complain(error.what(), kExitUsage);
  }
  const absl::Status flushed = FlushStandardOutput();
  return flushed.ok() ? status : complain(std::string(flushed.message()), kExitSetup);
}

}  // namespace

HostedEnd RunHosted(const char* subcommand, double hang_seconds, const StopSignals& stop,
                    const std::function<int(GuestHost*)>& body) {
  GuestHost host;
  const std::optional<absl::StatusOr<HostedEnd>> end = host.Split(hang_seconds, &stop);
  if (!end) {
    TellCrashesTo(&host);
    const int status = StatusOf(subcommand, [&] { return body(&host); });
    host.TellChecked(status);
    _exit(status);
  }
  RequireOk(*end);
  return **end;
}

Verdict VerdictOn(const HostedEnd& end) {
  const std::string fault = end.Fault();
  if (fault.empty()) return Verdict();
  // No clause speaks of it, so the family does not matter.
  Verdict verdict = MakeVerdict(end.kind == HostedEnd::Kind::kHung     ? Rule::kTimeOut
                                : end.kind == HostedEnd::Kind::kSignal ? Rule::kSignal
                                                                       : Rule::kExit,
                                Family::kCsq);
  verdict.reason = fault;
  return verdict;
}

int ExitStatusFor(const HostedEnd& end) {
  if (end.kind == HostedEnd::Kind::kStopped) return kExitInterrupted;
  return !end.Fault().empty() || end.code > kExitSetup ? kExitViolation : end.code;
}

}  // namespace cancelsafe
