// Memory in a file that several processes map: how one tells another how far it is. Header
// only, so that what is loaded into a fuzz engine can have it.
#ifndef CANCELSAFE_BASE_SHARED_FILE_H_
#define CANCELSAFE_BASE_SHARED_FILE_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace cancelsafe {

// First member of what is shared: says which version of Cancelsafe wrote the file. A file that
// an older version left behind would otherwise be read as if it had today's fields.
struct SharedLayout {
  std::atomic<uint64_t> name{0};  // 0 in a new file
};

inline std::string OtherLayout(const std::string& path) {
  return path + ": another version or program wrote this file; delete it, or name another";
}

// Maps `path`, which holds one Shared, creating it with zeros if needed: zeros are the initial
// value of every member. Shared begins with a SharedLayout and has a constant kLayoutName, to be
// changed with its fields. Null, with *error set, if the file cannot be used or has another
// layout. Stays mapped.
template <typename Shared>
Shared* MapSharedFile(const std::string& path, std::string* error) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct stat was = {};
  if (file >= 0 && fstat(file, &was) == 0 && was.st_size != 0 && was.st_size != sizeof(Shared)) {
    close(file);
    *error = OtherLayout(path);
    return nullptr;
  }
  void* memory = MAP_FAILED;
  if (file >= 0 && ftruncate(file, sizeof(Shared)) == 0) {
    memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (memory == MAP_FAILED) *error = "cannot use " + path + ": " + strerror(errno);
  if (file >= 0) close(file);
  if (memory == MAP_FAILED) return nullptr;
  auto* const shared = static_cast<Shared*>(memory);
  uint64_t name = 0;
  if (shared->layout.name.compare_exchange_strong(name, Shared::kLayoutName) ||
      name == Shared::kLayoutName) {
    return shared;
  }
  munmap(memory, sizeof(Shared));
  *error = OtherLayout(path);
  return nullptr;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_SHARED_FILE_H_
