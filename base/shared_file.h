// Memory in a file that several processes map: how one tells another how far it is. Header
// only, so that what is loaded into a fuzz engine can have it.
#ifndef CANCELSAFE_BASE_SHARED_FILE_H_
#define CANCELSAFE_BASE_SHARED_FILE_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace cancelsafe {

// Maps the first `size` bytes of `path`, creating it and filling it up with zeros if needed;
// null (with *error set) if that fails. Stays mapped.
inline void* MapSharedFile(const std::string& path, size_t size, std::string* error) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  void* memory = MAP_FAILED;
  if (file >= 0 && ftruncate(file, static_cast<off_t>(size)) == 0) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (memory == MAP_FAILED) *error = "cannot use " + path + ": " + strerror(errno);
  if (file >= 0) close(file);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_SHARED_FILE_H_
