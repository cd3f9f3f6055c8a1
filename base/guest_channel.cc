// See guest_channel.h. System calls are made without libc, whose view of the process a
// guest may have changed.
#include "base/guest_channel.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace cancelsafe {

struct GuestChannel::Shared {
  uint64_t secret;  // set when the message is whole
  size_t size;
  bool cut;
  std::atomic<int> copies;
  char text[kBytesMax];
};

GuestChannel::GuestChannel() {
  // The place is drawn as well: a guest that was built without knowing it does not hit
  // it. The number is not a decision of the run, and appears in no output.
  uint64_t place = 0;
  (void)!getrandom(&place, sizeof place, 0);
  (void)!getrandom(&secret_, sizeof secret_, 0);
  secret_ |= 1;
  void* const near = reinterpret_cast<void*>((place & 0x3fffffff000) | 0x100000000000);
  void* const memory = mmap(near, sizeof(Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("cancelsafe: no memory for the message of a child process");
    exit(3);
  }
  shared_ = static_cast<Shared*>(memory);
}

GuestChannel::~GuestChannel() { munmap(shared_, sizeof(Shared)); }

void GuestChannel::Seal() {
  owner_ = static_cast<int>(syscall(SYS_getpid));
  syscall(SYS_mprotect, shared_, sizeof(Shared), PROT_NONE);
}

void GuestChannel::Open() {
  syscall(SYS_mprotect, shared_, sizeof(Shared), PROT_READ | PROT_WRITE);
  if (static_cast<int>(syscall(SYS_getpid)) == owner_) return;
  ++shared_->copies;
  syscall(SYS_exit_group, 0);
}

void GuestChannel::Append(const char* bytes, size_t size) {
  Open();
  const size_t room = kBytesMax - shared_->size;
  if (size > room) shared_->cut = true;
  if (size > room) size = room;
  memcpy(shared_->text + shared_->size, bytes, size);
  shared_->size += size;
}

void GuestChannel::Clear() {
  Open();
  shared_->size = 0;
  shared_->cut = false;
}

void GuestChannel::Finish() {
  Open();
  shared_->secret = shared_->cut ? 0 : secret_;
}

GuestChannel::State GuestChannel::Read(std::string* text) const {
  text->assign(shared_->text, shared_->size <= kBytesMax ? shared_->size : 0);
  if (shared_->copies != 0) return State::kTwice;
  if (shared_->secret == secret_) return State::kWhole;
  return text->empty() ? State::kNothing : State::kCut;
}

}  // namespace cancelsafe
