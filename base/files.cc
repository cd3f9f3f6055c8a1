// See files.h.
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

absl::Status SystemError(const std::string& what, const std::string& path, int reason) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", strerror(reason)));
}

// 0, or the reason why not all was written.
int WriteAll(int file, const std::string& contents) {
  size_t done = 0;
  while (done < contents.size()) {
    const ssize_t written = write(file, contents.data() + done, contents.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    done += static_cast<size_t>(written);
  }
  return 0;
}

absl::Status WriteInPlace(const std::string& path, const std::string& contents) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return SystemError("open", path, errno);
  int reason = WriteAll(file, contents);
  if (close(file) != 0 && reason == 0) reason = errno;
  return reason == 0 ? absl::OkStatus() : SystemError("write", path, reason);
}

absl::Status Replace(const std::string& path, const std::string& contents) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".part");
  // What an earlier process of that number left may be a link.
  unlink(temporary.c_str());
  const int file =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return SystemError("create", temporary, errno);
  int reason = WriteAll(file, contents);
  if (close(file) != 0 && reason == 0) reason = errno;
  if (reason == 0 && rename(temporary.c_str(), path.c_str()) != 0) reason = errno;
  if (reason == 0) return absl::OkStatus();
  unlink(temporary.c_str());
  return SystemError("write", path, reason);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError("read", path, errno);
  std::string contents;
  char buffer[64 * 1024];
  ssize_t size = 0;
  while (contents.size() <= bytes_max) {
    size = read(file, buffer, std::min(sizeof buffer, bytes_max + 1 - contents.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    contents.append(buffer, static_cast<size_t>(size));
  }
  const int reason = errno;
  close(file);
  if (size < 0) return SystemError("read", path, reason);
  return contents;
}

absl::Status WriteFileAtomically(const std::string& path, const std::string& contents) {
  struct stat found = {};
  if (lstat(path.c_str(), &found) != 0) return Replace(path, contents);
  std::string target = path;
  if (S_ISLNK(found.st_mode)) {
    char real[PATH_MAX];
    if (realpath(path.c_str(), real) == nullptr || stat(real, &found) != 0) {
      return SystemError("follow the link", path, errno);
    }
    target = real;
  }
  if (S_ISDIR(found.st_mode)) return SystemError("write", path, EISDIR);
  return S_ISREG(found.st_mode) ? Replace(target, contents) : WriteInPlace(path, contents);
}

absl::Status WriteFileIn(const std::string& folder, const std::string& name,
                         const std::string& contents) {
  return Replace(absl::StrCat(folder, "/", name), contents);
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? SystemError("create", path, error.value()) : absl::OkStatus();
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unreadable;
    if (it->is_regular_file(unreadable)) files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

absl::Status FlushStandardOutput() {
  std::cout.flush();
  const bool streamed = std::cout.good();
  errno = 0;
  const bool flushed = fflush(stdout) == 0;
  const int reason = errno;
  if (streamed && flushed && ferror(stdout) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write to standard output",
                   reason != 0 ? absl::StrCat(": ", strerror(reason)) : std::string()));
}

}  // namespace cancelsafe
