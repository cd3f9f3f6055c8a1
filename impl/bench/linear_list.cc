// Compiles the reference device queue once more, renamed. The header's
// declarations are renamed along with the definitions, so nothing else may be
// included before.
#define KeInitializeDeviceQueue LinearInitializeDeviceQueue
#define KeInsertDeviceQueue LinearInsertDeviceQueue
#define KeInsertByKeyDeviceQueue LinearInsertByKeyDeviceQueue
#define KeRemoveDeviceQueue LinearRemoveDeviceQueue
#define KeRemoveByKeyDeviceQueue LinearRemoveByKeyDeviceQueue
#define KeRemoveByKeyDeviceQueueIfBusy LinearRemoveByKeyDeviceQueueIfBusy
#define KeRemoveEntryDeviceQueue LinearRemoveEntryDeviceQueue
#include "reference/device_queue.cc"  // NOLINT(bugprone-suspicious-include)
