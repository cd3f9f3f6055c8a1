// Where the fibers stand, in words: the part of the machine that writes reports and
// decides nothing.
#include "fuzzers/run/machine.h"
#include "fuzzers/run/recorder.h"
#include "impl/kernel/irp.h"
#include "oracle/describe.h"

namespace cancelsafe {
namespace {

struct NamedLock {
  const volatile char* begin;
  size_t size;
  const char* name;
};

// A run's driver has one queue lock; there is room to spare.
constexpr int kMaxNamedLocks = 4;
NamedLock named_locks[kMaxNamedLocks];
int named_lock_count = 0;

}  // namespace

void Machine::ForgetLockNames() { named_lock_count = 0; }

void Machine::NameLock(const volatile void* begin, size_t size, const char* name) {
  if (named_lock_count == kMaxNamedLocks) return;
  named_locks[named_lock_count++] = {static_cast<const volatile char*>(begin), size, name};
}

std::string Machine::LockName(const volatile void* lock) {
  if (KiIsCancelLock(lock)) return "the cancel lock";
  const auto* address = static_cast<const volatile char*>(lock);
  for (int i = 0; i < named_lock_count; ++i) {
    const NamedLock& named = named_locks[i];
    if (address >= named.begin && address < named.begin + named.size) return named.name;
  }
  return "a lock of the implementation";
}

std::string Machine::InCall(int fiber) {
  const uint8_t open = recorder_->open_call_of(fiber);
  if (open == kNoCall) return "";
  const History& history = recorder_->history();
  return " in " + DescribeOperation(history.setup, history.calls[open].operation);
}

std::string Machine::Positions(int fibers, uint8_t finished) {
  std::string text;
  for (int f = 0; f < fibers; ++f) {
    text += (f == 0 ? "fiber " : "; fiber ") + std::to_string(f);
    if ((finished >> f & 1) != 0) {
      text += " has ended";
      continue;
    }
    text += InCall(f);
    text += waits_for_[f] != nullptr ? " waits for " + LockName(waits_for_[f]) : " runs";
    const KiProcessor& processor = processors_[f];
    for (int i = 0; i < processor.held_count; ++i) {
      text += (i == 0 ? ", holding " : " and ") + LockName(processor.held[i].lock);
    }
  }
  return text;
}

}  // namespace cancelsafe
