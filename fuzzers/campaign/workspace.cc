// See workspace.h.
#include "fuzzers/campaign/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "base/hash.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/text.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr char kSeed[] = "seed";  // what the names of the corpus's files begin with

absl::Status SystemError(const std::string& what, const std::string& path, int reason) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", strerror(reason)));
}

// Whether a folder can be written shows only by doing so; with a page, since a
// full disk still has room for an empty file.
absl::Status CheckWritable(const std::string& folder) {
  const std::string probe = absl::StrCat(folder, "/.probe");
  const absl::Status status = WriteFileAtomically(probe, std::string(4096, '\n'));
  unlink(probe.c_str());
  if (status.ok()) return status;
  const absl::string_view message = status.message();
  return absl::UnavailableError(
      absl::StrCat("cannot write in ", folder, message.substr(message.rfind(": "))));
}

absl::Status MakeWritableFolder(const std::string& path) {
  const absl::Status status = MakeFolder(path);
  return status.ok() ? CheckWritable(path) : status;
}

absl::StatusOr<std::string> EncodeSeed(const FuzzTarget& target, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Program> program = ParseProgram(*text);
  if (!program.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", program.status().message()));
  }
  if (program->setup.family != target.family) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": this is a program for ",
                                                   FamilyName(program->setup.family),
                                                   ", in the corpus of ", target.name));
  }
  std::string bytes(kMaxProgramBytes, '\0');
  bytes.resize(EncodeProgram(*program, reinterpret_cast<uint8_t*>(&bytes[0]), bytes.size()));
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Open(const CampaignOptions& options) {
  for (const std::string& folder :
       {options.work, options.work + "/corpus", options.work + "/slots", options.findings}) {
    const absl::Status status = MakeWritableFolder(folder);
    if (!status.ok()) return status;
  }
  const std::string path = options.work + "/lock";
  const int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return SystemError("create", path, errno);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    close(lock);
    if (reason != EWOULDBLOCK) return SystemError("lock", path, reason);
    return absl::UnavailableError(absl::StrCat("another campaign is running in ", options.work,
                                               "; wait for it, or give another --work DIR"));
  }
  std::unique_ptr<Workspace> workspace(new Workspace(options, lock));
  for (const FuzzTarget* target : options.targets) {
    const absl::Status status = MakeWritableFolder(workspace->CorpusFolder(*target));
    if (!status.ok()) return status;
  }
  return workspace;
}

Workspace::~Workspace() { close(lock_); }

absl::StatusOr<int> Workspace::AddSeeds(const FuzzTarget& target) {
  int count = 0;
  // A driver's inputs are its own.
  if (target.is_driver()) return count;
  for (const char* part : {"seeds", "regressions"}) {
    for (const std::string& path :
         FilesIn(absl::StrCat(options_.corpus, "/", target.name, "_fuzzer/", part))) {
      const absl::StatusOr<std::string> bytes = EncodeSeed(target, path);
      if (!bytes.ok()) return bytes.status();
      if (std::find(options_.fatal_seeds.begin(), options_.fatal_seeds.end(), path) !=
          options_.fatal_seeds.end()) {
        // A campaign of an implementation that it does not crash may have left it here.
        unlink(InputName(target, kSeed, *bytes).c_str());
        continue;
      }
      ++count;
      const absl::StatusOr<bool> added = AddInput(target, kSeed, *bytes);
      if (!added.ok()) return added.status();
    }
  }
  return count;
}

absl::StatusOr<bool> Workspace::AddInput(const FuzzTarget& target, const std::string& prefix,
                                         const std::string& bytes) {
  const std::string name = InputName(target, prefix, bytes);
  if (access(name.c_str(), F_OK) == 0) return false;
  // Not beside the others: an engine may be reading that folder, and nothing that it
  // has seen there may go away.
  const std::string incoming = options_.work + "/incoming";
  const absl::Status status = WriteFileAtomically(incoming, bytes);
  if (!status.ok()) return status;
  if (rename(incoming.c_str(), name.c_str()) != 0) return SystemError("create", name, errno);
  return true;
}

std::string Workspace::InputName(const FuzzTarget& target, const std::string& prefix,
                                 const std::string& bytes) const {
  return absl::StrFormat("%s/%s-%016x", CorpusFolder(target), prefix, HashText64(bytes));
}

std::string Workspace::CorpusFolder(const FuzzTarget& target) const {
  return absl::StrCat(options_.work, "/corpus/", target.name);
}

absl::Status Workspace::Check() const { return CheckWritable(options_.work); }

int Workspace::CorpusSize(const FuzzTarget& target) const {
  int count = 0;
  std::error_code error;
  for (fs::directory_iterator it(CorpusFolder(target), error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

absl::StatusOr<std::string> Workspace::MakeSlotFolder(const std::string& slot_name) {
  const std::string path = absl::StrCat(options_.work, "/slots/", slot_name);
  const absl::Status status = MakeWritableFolder(path);
  if (!status.ok()) return status;
  return path;
}

}  // namespace cancelsafe
