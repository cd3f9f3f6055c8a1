// See stats.h.
#include "fuzzers/targets/stats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cancelsafe {

TargetStats* MapStats(const std::string& path, std::string* error) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  void* memory = MAP_FAILED;
  if (file >= 0 && ftruncate(file, sizeof(TargetStats)) == 0) {
    memory = mmap(nullptr, sizeof(TargetStats), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (memory == MAP_FAILED) *error = "cannot use " + path + ": " + strerror(errno);
  if (file >= 0) close(file);
  // The file's zeros are the initial value of every member.
  return memory == MAP_FAILED ? nullptr : static_cast<TargetStats*>(memory);
}

}  // namespace cancelsafe
