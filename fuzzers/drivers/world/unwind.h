// One frame of a driver's code back, by the tables that its compiler has left in the image
// (.pdata, .xdata of amd64, versions 1 and 2). Images are hostile: whatever their tables say,
// nothing is read outside of the image and of the stack that is given, and nothing is written.
// What an exception is, and who handles it, is in exceptions.h.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_UNWIND_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_UNWIND_H_

#include <cstdint>

#include "fuzzers/drivers/image/driver_image.h"
#include "fuzzers/drivers/world/machine_context.h"

namespace cancelsafe::drivers {

// RUNTIME_FUNCTION: offsets from the image's base.
struct RuntimeFunction {
  uint32_t begin;
  uint32_t end;
  uint32_t unwind;
};

// The part of a stack that frames may lie in.
struct StackRange {
  uint64_t low;
  uint64_t high;
};

// UNWIND_INFO's flags.
inline constexpr uint8_t kHandlesExceptions = 1;
inline constexpr uint8_t kHandlesUnwinds = 2;
inline constexpr uint8_t kChained = 4;

struct UnwoundFrame {
  bool has_function = false;  // else a leaf, which has no table: its return address is on top
  RuntimeFunction function = {};
  uint64_t establisher = 0;
  // Of the language handler: 0 where there is none, or none for this place (prolog, epilog).
  uint8_t handles = 0;
  uint32_t handler = 0;
  uint32_t handler_data = 0;
};

// The function that holds `rva`. O(log functions).
bool FindFunction(const DriverImage& image, uint32_t rva, RuntimeFunction* function);

// Whether any function of the image has a handler of exceptions. O(functions).
bool HasExceptionHandlers(const DriverImage& image);

// Replaces `context`, which stands in the image's code, by that of the caller, and says in
// `*frame` what it has left. False, with `context` changed in part, if the tables cannot be
// followed: damaged, of another version, a trap's frame (UWOP_PUSH_MACHFRAME), or they lead out of
// the stack or back on it. O(codes of the function), bounded.
bool VirtualUnwind(const DriverImage& image, const StackRange& stack, KernelContext* context,
                   UnwoundFrame* frame);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_UNWIND_H_
