// See report.h.
#include "fuzzers/run/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/hash.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/timeline.h"

namespace cancelsafe {
std::string FailureReport(const Program& program, const History& history, const Verdict& verdict) {
  std::string report =
      absl::StrCat(VerdictLine(verdict), "\n\n", PrintProgram(program), "\n", Timeline(history));
  if (!verdict.evidence.empty()) report += "\n";
  for (const std::string& line : verdict.evidence) absl::StrAppend(&report, line, "\n");
  return report;
}

std::string FailureFile(const Program& program, const Verdict& verdict,
                        const std::vector<std::string>& origin) {
  ProgramFile file;
  file.program = program;
  file.header_comments.push_back(VerdictLine(verdict));
  for (const std::string& line : origin) file.header_comments.push_back(line);
  return PrintProgramFile(file);
}

std::string HeaderDifference(const std::vector<std::string>& header_comments,
                             const Verdict& verdict) {
  for (const std::string& line : header_comments) {
    Verdict named;
    if (!ParseVerdictLine(line, &named)) continue;
    if (SameFinding(named, verdict)) return "";
    return absl::StrCat(
        kHeaderDiffers, VerdictLine(named),
        named.kind == VerdictKind::kDataRace && verdict.ok()
            ? "\nA data race shows under ThreadSanitizer alone: replay with --sanitizer thread."
            : "\nEither the implementation is another one than when the file was saved, or a line "
              "of the file is missing.");
  }
  return "";
}

std::string FailureFileName(const Program& program, const Verdict& verdict) {
  return FailureFileName(FamilyName(program.setup.family), PrintProgram(program), verdict);
}

std::string FailureFileName(absl::string_view target, absl::string_view program_text,
                            const Verdict& verdict) {
  const std::string clause = verdict.clause.empty() ? verdict.rule : verdict.clause;
  return absl::StrFormat("%s-%s-%s-%08x.txt", target, VerdictKindName(verdict.kind), clause,
                         HashText32(std::string(program_text)));
}

}  // namespace cancelsafe
