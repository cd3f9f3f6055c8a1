// See report.h.
#include "fuzzers/run/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "fuzzers/program/text.h"
#include "fuzzers/run/timeline.h"

namespace cancelsafe {
namespace {

// FNV-1a; the name only has to be the same every time.
uint32_t HashText(const std::string& text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

absl::Status SystemError(const std::string& what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", strerror(errno)));
}

}  // namespace

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

std::string HeaderDifference(const ProgramFile& file, const Verdict& verdict) {
  for (const std::string& line : file.header_comments) {
    Verdict named;
    if (!ParseVerdictLine(line, &named)) continue;
    if (SameFinding(named, verdict)) return "";
    return absl::StrCat(
        "not what the file's header names, which is: ", VerdictLine(named),
        named.kind == VerdictKind::kDataRace && verdict.ok()
            ? "\nA data race shows under ThreadSanitizer alone: replay with --sanitizer thread."
            : "\nEither the implementation is another one than when the file was saved, or a line "
              "of the file is missing.");
  }
  return "";
}

std::string FailureFileName(const Program& program, const Verdict& verdict) {
  const std::string clause = verdict.clause.empty() ? verdict.rule : verdict.clause;
  return absl::StrFormat("%s-%s-%s-%08x.txt", FamilyName(program.setup.family),
                         VerdictKindName(verdict.kind), clause, HashText(PrintProgram(program)));
}

absl::Status WriteFileAtomically(const std::string& path, const std::string& contents) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".part");
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return SystemError("create", temporary);
  size_t done = 0;
  while (done < contents.size()) {
    const ssize_t written = write(file, contents.data() + done, contents.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const absl::Status status = SystemError("write", temporary);
      close(file);
      unlink(temporary.c_str());
      return status;
    }
    done += static_cast<size_t>(written);
  }
  if (close(file) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    const absl::Status status = SystemError("write", path);
    unlink(temporary.c_str());
    return status;
  }
  return absl::OkStatus();
}

}  // namespace cancelsafe
