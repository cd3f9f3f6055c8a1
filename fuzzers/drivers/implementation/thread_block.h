// What lies behind the segment register gs for an implementation in a PE image: the first part of
// a thread's block, which code that also runs outside of a kernel reads (Wine's). Its address of
// itself and zeros; the rest, a kernel's data of the processor, is not there and faults, where the
// kernel around a driver emulates the access (fuzzers/drivers/world/emulate.cc).
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_THREAD_BLOCK_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_THREAD_BLOCK_H_

namespace cancelsafe::drivers {

// For the calling thread, once; gs is free on x86-64 Linux. False if the system refuses.
bool PlaceThreadBlock();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_THREAD_BLOCK_H_
