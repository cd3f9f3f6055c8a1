// The one message that a guest's process leaves for its parent: bytes in memory that
// both share. It has no descriptor, so that a guest that closes or writes to every
// number does not meet it, and it cannot be written to before the message is, so that
// a wild store ends the guest and not the message. It names itself by a number drawn
// for it, and a copy of the process that comes to its end as well is noticed.
#ifndef CANCELSAFE_BASE_GUEST_CHANNEL_H_
#define CANCELSAFE_BASE_GUEST_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace cancelsafe {

class GuestChannel {
 public:
  static constexpr size_t kBytesMax = size_t{1} << 20;

  // In the parent, before the child is started. Ends the process if there is no memory.
  GuestChannel();
  ~GuestChannel();
  GuestChannel(const GuestChannel&) = delete;
  GuestChannel& operator=(const GuestChannel&) = delete;

  // In the child. From here on a store into the message is a fault, until Append.
  void Seal();
  // In the child; async-signal-safe. What does not fit is cut, and the message is then
  // never whole. In a copy of the child it does not return.
  void Append(const char* bytes, size_t size);
  // Removes what has been appended.
  void Clear();
  // In the child: the message is whole.
  void Finish();

  enum class State : uint8_t {
    kNothing,  // nothing was appended
    kCut,      // not finished
    kWhole,
    kTwice,  // finished, or begun, by two processes
  };
  // In the parent, when the child has ended.
  State Read(std::string* text) const;

 private:
  struct Shared;
  void Open();

  Shared* shared_;
  uint64_t secret_;
  int owner_ = 0;  // the process that has sealed it
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_GUEST_CHANNEL_H_
