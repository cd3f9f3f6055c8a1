// See target_log.h.
#include "fuzzers/campaign/target_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/targets/target_report.h"

namespace cancelsafe {
namespace {

// A line may be as long as an implementation under test likes; no line that
// matters is longer than this.
constexpr size_t kLineBytesMax = 64 * 1024;

void SetOnce(absl::string_view value, std::string* fact) {
  if (fact->empty()) *fact = std::string(absl::StripAsciiWhitespace(value));
}

// What follows `mark` in the line, if it is there.
bool TextAfter(absl::string_view line, absl::string_view mark, absl::string_view* rest) {
  const size_t at = line.find(mark);
  if (at == absl::string_view::npos) return false;
  *rest = line.substr(at + mark.size());
  return true;
}

// AFL++ writes in colours.
std::string WithoutColours(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      plain += text[i];
    } else {
      while (i < text.size() && text[i] != 'm') ++i;
    }
  }
  return plain;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TargetLog>> TargetLog::Create(const std::string& path,
                                                             uint64_t bytes_max) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::UnavailableError(absl::StrCat("cannot create ", path, ": ", strerror(errno)));
  }
  return std::unique_ptr<TargetLog>(new TargetLog(path, file, bytes_max));
}

TargetLog::~TargetLog() { close(file_); }

void TargetLog::Add(absl::string_view text) {
  Write(text);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const absl::string_view piece = text.substr(0, end);
    line_.append(piece.data(), std::min(piece.size(), kLineBytesMax - line_.size()));
    if (end == absl::string_view::npos) return;
    ReadLine(line_);
    line_.clear();
    text.remove_prefix(end + 1);
  }
}

void TargetLog::Finish() {
  ReadLine(line_);
  line_.clear();
}

void TargetLog::Write(absl::string_view text) {
  if (bytes_left_ == 0) return;
  text = text.substr(0, bytes_left_);
  bytes_left_ -= text.size();
  while (!text.empty()) {
    const ssize_t written = write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      bytes_left_ = 0;
      return;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void TargetLog::ReadLine(absl::string_view line) {
  absl::string_view rest;
  TargetReport report;
  if (ParseTargetReport(line, &report)) {
    if (report.left_out) {
      facts_.left_out = true;
    } else if (!report.unconfirmed.empty()) {
      facts_.unconfirmed.push_back(std::move(report));
    } else if (!facts_.report) {
      facts_.report = std::move(report);
    }
  } else if (absl::StartsWith(line, "cancelsafe:")) {
    SetOnce(line.substr(strlen("cancelsafe:")), &facts_.complaint);
  } else if (TextAfter(line, "ERROR: libFuzzer: ", &rest)) {
    SetOnce(rest, &facts_.engine_error);
  } else if (TextAfter(line, "PROGRAM ABORT : ", &rest) ||
             TextAfter(line, "SYSTEM ERROR : ", &rest)) {
    SetOnce(WithoutColours(rest), &facts_.engine_error);
  } else if (absl::StartsWith(line, "SUMMARY: ")) {
    SetOnce(line.substr(strlen("SUMMARY: ")), &facts_.summary);
  } else if (TextAfter(line, "Test unit written to ", &rest)) {
    SetOnce(rest, &facts_.artifact);
  } else if (absl::StartsWith(line, "#") && absl::StrContains(line, "INITED ")) {
    facts_.through_corpus = true;
  } else if ((absl::StartsWith(line, "Done ") && absl::StrContains(line, " runs in ")) ||
             absl::StartsWith(line, kEnoughSchedules)) {
    facts_.done = true;
  }
}

}  // namespace cancelsafe
