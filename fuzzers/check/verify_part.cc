// See verify_part.h.
#include "fuzzers/check/verify_part.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/check/suspects.h"
#include "fuzzers/program/text.h"

namespace cancelsafe {
namespace {

constexpr double kGraceSeconds = 60;
constexpr char kSaved[] = "saved: ";

std::string SavedPath(const std::string& output) {
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::ConsumePrefix(&line, kSaved)) return std::string(absl::StripAsciiWhitespace(line));
  }
  return "";
}

}  // namespace

VerifyOutcome ReadVerify(const std::string& output, int status, const std::string& family,
                         const std::string& program) {
  VerifyOutcome outcome;
  for (const absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, family + " ")) outcome.line = std::string(line);
  }
  outcome.complete = status == kExitOk && absl::StrContains(outcome.line, "complete");
  outcome.failed = status != kExitOk;
  if (status != kExitViolation) return outcome;
  CheckFinding finding;
  if (!ParseVerdictLine(output, &finding.verdict)) return outcome;
  finding.variant = "model";
  finding.family = family;
  const absl::StatusOr<Program> parsed = ParseProgram(program);
  if (parsed.ok()) {
    finding.program = PrintProgram(*parsed);
    finding.operations = parsed->operation_count;
    finding.fibers = parsed->fibers;
  }
  if (finding.verdict.kind == VerdictKind::kDataRace) {
    finding.lines = LinesOfRace(finding.verdict.reason);
    finding.seen_there = true;
  }
  outcome.line = VerdictLine(finding.verdict);
  outcome.complete = true;
  outcome.failed = false;
  outcome.findings.push_back(std::move(finding));
  return outcome;
}

VerifyOutcome RunVerify(const std::string& program, const std::string& implementation,
                        const std::string& family, int seconds, const std::string& folder,
                        const std::vector<std::string>& flags) {
  std::vector<std::string> command = {
      program,    "verify", family,      "--implementation",    implementation,
      "--points", "all",    "--seconds", absl::StrCat(seconds), "--save",
      folder};
  command.insert(command.end(), flags.begin(), flags.end());
  std::string output;
  const absl::StatusOr<ChildEnd> end =
      RunProcess(command, seconds + kGraceSeconds,
                 [&](absl::string_view text) { absl::StrAppend(&output, text); });
  VerifyOutcome outcome;
  outcome.failed = true;
  if (!end.ok() || end->status.signaled) {
    outcome.line = end.ok() ? DescribeExit(end->status) : std::string(end.status().message());
    return outcome;
  }
  const std::string saved = SavedPath(output);
  outcome = ReadVerify(output, end->status.code, family,
                       saved.empty() ? "" : ReadFile(saved).value_or(""));
  if (outcome.line.empty()) outcome.line = output.substr(0, output.find('\n'));
  return outcome;
}

}  // namespace cancelsafe
