// See repeated_end.h.
#include "fuzzers/tools/repeated_end.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "command/status.h"

namespace cancelsafe {

CapturedOutput::CapturedOutput() : file_(memfd_create("output", MFD_CLOEXEC)) {
  if (file_ < 0) throw SetupError(absl::StrCat("no memory for output: ", strerror(errno)));
}

CapturedOutput::~CapturedOutput() { close(file_); }

void CapturedOutput::TakeOver() {
  fflush(stdout);
  if (dup2(file_, STDOUT_FILENO) < 0) {
    throw SetupError(absl::StrCat("cannot redirect the output: ", strerror(errno)));
  }
}

std::string CapturedOutput::Text() const {
  std::string text;
  char part[1 << 16];
  for (;;) {
    const ssize_t count = pread(file_, part, sizeof part, static_cast<off_t>(text.size()));
    if (count <= 0) return text;
    text.append(part, static_cast<size_t>(count));
  }
}

bool SameEnd(const HostedEnd& a, const HostedEnd& b) {
  return a.kind == b.kind && a.code == b.code && a.Fault() == b.Fault();
}

std::string FirstOtherLine(const std::string& a, const std::string& b) {
  if (a == b) return "";
  const std::vector<std::string> one = absl::StrSplit(a, '\n'), other = absl::StrSplit(b, '\n');
  for (size_t i = 0; i < other.size(); ++i) {
    if (i >= one.size() || one[i] != other[i]) return other[i];
  }
  return "(it printed less)";
}

}  // namespace cancelsafe
